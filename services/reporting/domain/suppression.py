"""Small cells and the cells that hide them, so that no sum or difference of what is shown gives a small one.

A table counts `measures` by division and kind, with totals. Two sums tie its cells together: a division's total is the
sum of its kinds, and a division's cell is the sum of its parts' cells. Primary cells are hidden because they are small,
more are hidden until in each sum at least two are, and what they add up to is large. That alone does not suffice where
sums cross, so at last it is worked out what linear algebra gives from all that is shown, and more is hidden until it
gives nothing (Hundepool et al., Statistical Disclosure Control, 2012, chapter 4: secondary suppression and its audit).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from services.reporting.domain.divisions import REST, children, level_of

TOTAL = ""
Cell = tuple[str, str]
"""Division and kind; the kind of a total is empty."""
Counts = tuple[int, ...]
# Linear algebra is done modulo a prime so large that no sum of ones is a multiple of it.
PRIME = 2**61 - 1


@dataclass(frozen=True)
class Table:
    """Counts of the smallest divisions by kind; all sums follow. Cells without any count are left out."""

    leaves: Mapping[Cell, Counts]
    parts: Mapping[str, frozenset[str]] = field(repr=False)

    @classmethod
    def of(cls, counts: Mapping[tuple[str, str], Counts]) -> "Table":
        """Make a table of counts by code and kind."""
        divisions = {level_of(code) for code, _kind in counts}
        parts = children(divisions)
        leaves: dict[Cell, Counts] = {}
        for (code, kind), its in counts.items():
            division = level_of(code)
            cell = (division + REST if division in parts else division, kind)
            leaves[cell] = tuple(a + b for a, b in zip(leaves[cell], its, strict=True)) if cell in leaves else its
        return cls(leaves, parts)

    @cached_property
    def support(self) -> Mapping[Cell, frozenset[Cell]]:
        """Each cell with the leaves that it is the sum of."""
        found: dict[Cell, set[Cell]] = {}
        above = {part: division for division, parts in self.parts.items() for part in parts}
        for leaf in self.leaves:
            division: str | None = leaf[0]
            while division is not None:
                for kind in (leaf[1], TOTAL):
                    found.setdefault((division, kind), set()).add(leaf)
                division = above.get(division)
        return {cell: frozenset(leaves) for cell, leaves in found.items()}

    @cached_property
    def cells(self) -> Mapping[Cell, Counts]:
        """Every cell that has a leaf, with its counts."""
        return {
            cell: tuple(map(sum, zip(*(self.leaves[leaf] for leaf in leaves), strict=True)))
            for cell, leaves in self.support.items()
        }

    @cached_property
    def sums(self) -> list[tuple[Cell, list[Cell]]]:
        """Each cell that is a sum, with what it is the sum of."""
        kinds: dict[str, set[str]] = {}
        for division, kind in self.support:
            if kind != TOTAL:
                kinds.setdefault(division, set()).add(kind)
        found: list[tuple[Cell, list[Cell]]] = []
        for division in sorted(kinds, key=lambda each: (-len(each), each)):
            found.append(((division, TOTAL), [(division, kind) for kind in sorted(kinds[division])]))
            for kind in sorted(kinds[division] | {TOTAL}) if division in self.parts else ():
                members = [(part, kind) for part in sorted(self.parts[division])]
                found.append(((division, kind), [each for each in members if each in self.support]))
        return found


@dataclass(frozen=True, slots=True)
class Limit:
    """What is small: a count of 1 to `least` - 1 of any measure.

    `level`: the table counts who is there, in one measure: a hidden group needs one large cell. Otherwise it counts
    what happened, and a hidden group needs large sums; of cells that are hidden because the level beside them is
    (`forced`), one large sum is enough, since nothing else tells what the rest is. So it is where no measure can be
    reckoned from another one (`apart`).
    """

    least: int
    level: bool = False
    apart: bool = False

    def small(self, counts: Counts) -> bool:
        """Tell whether a cell must be hidden by itself."""
        return any(0 < count < self.least for count in counts)

    def enough(self, group: Collection[Counts], forced: bool) -> bool:
        """Tell whether these hidden cells may add up to something that is shown."""
        if self.level:
            return max(counts[0] for counts in group) >= self.least
        sums = [sum(each) for each in zip(*group, strict=True)]
        large = [each >= self.least for each in sums]
        if forced or self.apart:
            return any(large) and all(each or total == 0 for each, total in zip(large, sums, strict=True))
        return all(large)


def hide(table: Table, limit: Limit, forced: Iterable[Cell] = ()) -> frozenset[Cell]:
    """Return the cells that are not shown: small ones, forced ones, and as many others as hide these."""
    kept = frozenset(forced) & table.support.keys()
    first = {cell for cell, counts in table.cells.items() if limit.small(counts)} | kept
    hidden = set(first)
    while True:
        changed = True
        while changed:
            changed = sum(_close(table, limit, kept, hidden, *each) for each in table.sums) > 0
        given = determined(table, hidden, first)
        if not any(_cover(table, hidden, cell) for cell in given):
            return frozenset(hidden)


def _size(table: Table, cell: Cell) -> tuple[int, Cell]:
    return max(table.cells[cell]), cell


def _close(
    table: Table, limit: Limit, kept: Collection[Cell], hidden: set[Cell], whole: Cell, members: list[Cell]
) -> bool:
    """Hide one cell more of a sum if what is hidden in it can be reckoned from the rest; tell whether one was."""
    inside = [each for each in members if each in hidden]
    shown = sorted(
        (each for each in members if each not in hidden and any(table.cells[each])), key=lambda each: _size(table, each)
    )
    if whole in hidden:
        if inside or not shown:
            return False
        hidden.add(shown[0])
        return True
    if not inside or (len(inside) > 1 and _enough(table, limit, kept, inside)):
        return False
    more = next((each for each in shown if _enough(table, limit, kept, [*inside, each])), whole)
    hidden.add(more)
    return True


def _enough(table: Table, limit: Limit, kept: Collection[Cell], group: Collection[Cell]) -> bool:
    return limit.enough([table.cells[each] for each in group], all(each in kept for each in group))


def _cover(table: Table, hidden: set[Cell], cell: Cell) -> bool:
    """Hide the smallest shown cell that stands in a sum with a cell that can be reckoned."""
    beside = {
        each
        for whole, members in table.sums
        if cell == whole or cell in members
        for each in (whole, *members)
        if each not in hidden and any(table.cells[each])
    }
    if not beside:
        return False
    hidden.add(min(beside, key=lambda each: _size(table, each)))
    return True


def determined(table: Table, hidden: Collection[Cell], asked: Iterable[Cell]) -> list[Cell]:
    """Return which of the cells asked for are a linear combination of the cells shown."""
    unknown = {leaf for leaf in table.leaves if leaf in hidden}
    rows = {
        frozenset(leaves & unknown) for cell, leaves in table.support.items() if cell not in hidden and leaves & unknown
    }
    basis: dict[Cell, dict[Cell, int]] = {}
    for row in sorted(rows, key=lambda each: (len(each), sorted(each))):
        reduced = _reduce(dict.fromkeys(row, 1), basis)
        if reduced:
            pivot = min(reduced)
            inverse = pow(reduced[pivot], -1, PRIME)
            basis[pivot] = {leaf: value * inverse % PRIME for leaf, value in reduced.items()}
    return [
        cell
        for cell in sorted(asked)
        if (own := table.support[cell] & unknown) and not _reduce(dict.fromkeys(own, 1), basis)
    ]


def _reduce(row: dict[Cell, int], basis: Mapping[Cell, Mapping[Cell, int]]) -> dict[Cell, int]:
    """Return what is left of a row without the rows of the basis; each has its smallest leaf as pivot."""
    rest: dict[Cell, int] = {}
    while row:
        pivot = min(row)
        factor = row.pop(pivot)
        if pivot not in basis:
            rest[pivot] = factor
            continue
        for leaf, value in basis[pivot].items():
            if leaf != pivot:
                changed = (row.get(leaf, 0) - factor * value) % PRIME
                if changed:
                    row[leaf] = changed
                else:
                    row.pop(leaf, None)
    return rest
