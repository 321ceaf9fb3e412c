"""Counts by division and kind with all their sums, and the network that the sums make.

Two kinds of sums tie the cells together: a division's total is the sum of its kinds, and a division's cell is the sum
of its parts' cells. Such a table is a network (Cox, Network models for complementary cell suppression, JASA 90, 1995;
Hundepool et al., Statistical Disclosure Control, 2012, section 4.4): each cell is an arc, each sum a node where as much
comes in as goes out. From the top the kinds run down through the divisions, meet at the smallest ones, and run up again
as totals. Whatever else a table may be while its shown cells stay as they are is a round trip in this network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from services.reporting.domain.divisions import REST, ancestors, leaf_of

TOTAL = ""
Cell = tuple[str, str]
"""Division and kind; the kind of a total is empty."""
Counts = tuple[int, ...]
Node = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """From a node along an arc to the next one: the arc's cell rises by `sign`."""

    cell: Cell
    sign: int
    to: Node


@dataclass(frozen=True)
class Table:
    """Counts of the smallest parts by kind; all sums follow. Cells without any count are left out."""

    leaves: Mapping[Cell, Counts]

    @classmethod
    def of(cls, counts: Mapping[tuple[str, str], Counts]) -> "Table":
        """Make a table of counts by code and kind."""
        leaves: dict[Cell, Counts] = {}
        for (code, kind), its in sorted(counts.items()):
            cell = (leaf_of(code), kind)
            leaves[cell] = tuple(a + b for a, b in zip(leaves[cell], its, strict=True)) if cell in leaves else its
        return cls(leaves)

    @cached_property
    def cells(self) -> Mapping[Cell, Counts]:
        """Every cell with its counts, those of rests included."""
        found: dict[Cell, Counts] = {}
        for (leaf, kind), its in self.leaves.items():
            for division in (leaf, *ancestors(leaf)):
                for cell in ((division, kind), (division, TOTAL)):
                    found[cell] = tuple(a + b for a, b in zip(found[cell], its, strict=True)) if cell in found else its
        return found

    @cached_property
    def arcs(self) -> Mapping[Cell, tuple[Node, Node]]:
        """Each cell as an arc: where it begins, and where it ends."""
        leaves = {leaf for leaf, _kind in self.leaves}
        found: dict[Cell, tuple[Node, Node]] = {}
        for division, kind in self.cells:
            above = ancestors(division)
            if kind == TOTAL:
                found[division, kind] = ((division, TOTAL), (above[0], TOTAL) if above else (division, "/top"))
            else:
                begin = (above[0], kind) if above else (division, "/top")
                found[division, kind] = (begin, (division, TOTAL if division in leaves else kind))
        return found

    @cached_property
    def steps(self) -> Mapping[Node, list[Step]]:
        """Each node with the steps that lead away from it."""
        found: dict[Node, list[Step]] = {}
        for cell, (begin, end) in self.arcs.items():
            found.setdefault(begin, []).append(Step(cell, 1, end))
            found.setdefault(end, []).append(Step(cell, -1, begin))
        return found

    def above(self, cell: Cell) -> list[Cell]:
        """Return the cell and every sum that it is in."""
        division, kind = cell
        divisions = (division, *ancestors(division))
        return [(each, its) for its in dict.fromkeys((kind, TOTAL)) for each in divisions]

    def parts(self, division: str) -> list[str]:
        """Return the divisions that a division consists of, as far as something was counted there."""
        divisions = {each for each, _kind in self.cells if not each.endswith(REST)}
        return sorted(each for each in divisions if division in ancestors(each)[:1])
