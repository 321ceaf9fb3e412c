"""Who is registered where, and what of it may be shown on which day.

Days are tied together: who is registered at a day's end are those of the day before, with the arrivals, without the
departures. An example that protects a small number of registered (see suppression) changes the registered of one day,
and what came and went on that day and the next. So each day hides as much of what came and went as it takes to absorb
the examples of its both ends. Then an example never concerns a third day, and a day is decided from itself and its eve
alone: what was published is never spoilt later.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from services.reporting.domain.divisions import ancestors
from services.reporting.domain.suppression import Hiding, Moves, examples, small_cells
from services.reporting.domain.tables import TOTAL, Cell, Table

# In the order of interfaces.md, in which tables show them.
KINDS = ("tenant", "hotel_guest", "dormitory", "site_worker", "host_family", "other")
MOVES, TIMELINESS = slice(0, 2), slice(2, 4)
Key = tuple[str, str]
# How many days' decisions a process keeps: more than the longest period shown. One takes milliseconds and kilobytes.
KEPT_DAYS = 400


class Flow(NamedTuple):
    """What happened on a day. Each arrival is on time or late."""

    arrivals: int = 0
    departures: int = 0
    on_time: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """A cell as it may be shown; None is hidden."""

    registered: int | None
    arrivals: int | None
    departures: int | None
    on_time: int | None
    late: int | None

    @property
    def nothing(self) -> bool:
        """Whether there is nobody, and nothing hidden."""
        return not any(each is None or each for each in (self.registered, self.arrivals, self.departures))


@dataclass(frozen=True)
class Day:
    """One day's counts, by division code and kind.

    `registered` and `before` are at its end and at the end of the day before; `flows` are (arrivals, departures, on
    time, late) of the day.
    """

    registered: Mapping[Key, int]
    before: Mapping[Key, int]
    flows: Mapping[Key, tuple[int, int, int, int]]
    least: int = field(default=10)

    @cached_property
    def _decided(self) -> "Decision":
        registered, before, flows = (frozenset(each.items()) for each in (self.registered, self.before, self.flows))
        return _decide(registered, before, flows, self.least)

    def shown(self, division: str, kind: str = TOTAL) -> Figures:
        """Return a division's figures of one kind, or of all."""
        cell, decided = (division, kind), self._decided
        (registered,) = _of(decided.level.table, decided.level.hidden, cell, slice(1))
        arrivals, departures = _of(decided.flows, decided.hidden_moves, cell, MOVES)
        on_time, late = _of(decided.flows, decided.hidden_timeliness, cell, TIMELINESS)
        return Figures(registered, arrivals, departures, on_time, late)

    def registered_in(self, division: str) -> int | None:
        """Return how many were registered in a division; quicker than `shown`, which decides about flows too."""
        level = _level(frozenset(self.registered.items()), self.least)
        (registered,) = _of(level.table, level.hidden, (division, TOTAL), slice(1))
        return registered

    def kinds(self, division: str) -> dict[str, Figures]:
        """Return a division's figures by kind; kinds without any are left out."""
        found = {kind: self.shown(division, kind) for kind in KINDS}
        return {kind: figures for kind, figures in found.items() if not figures.nothing}

    def parts(self, division: str) -> list[str]:
        """Return the divisions that a division consists of, as far as something was counted there."""
        return self._decided.flows.parts(division)


def _of(table: Table, hidden: frozenset[Cell], cell: Cell, measures: slice) -> tuple[int | None, ...]:
    counts = table.cells.get(cell, Flow())[measures]
    return tuple(None if cell in hidden else count for count in counts)


@dataclass(frozen=True, slots=True)
class Level:
    """Who is registered at a day's end, which cells of that are hidden, and the examples that protect small ones."""

    table: Table
    hidden: frozenset[Cell]
    examples: tuple[Moves, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is hidden on a day: who is registered, arrivals with departures, on time with late."""

    level: Level
    flows: Table
    hidden_moves: frozenset[Cell]
    hidden_timeliness: frozenset[Cell]


@lru_cache(maxsize=KEPT_DAYS)
def _level(registered: frozenset[tuple[Key, int]], least: int) -> Level:
    table = Table.of({key: (count,) for key, count in registered})
    small = small_cells(table, least)
    hiding = Hiding(table, set(small))
    found = examples(hiding, small, least, lambda leaf: table.leaves[leaf][0])
    return Level(table, frozenset(hiding.hidden), tuple(found))


@lru_cache(maxsize=KEPT_DAYS)
def _decide(
    registered: frozenset[tuple[Key, int]],
    before: frozenset[tuple[Key, int]],
    flows: frozenset[tuple[Key, tuple[int, int, int, int]]],
    least: int,
) -> Decision:
    now, eve = _level(registered, least), _level(before, least)
    # With the cells of both levels, so that each of their cells is a cell here.
    nothing = {key: Flow() for key, _count in registered | before}
    table = Table.of({**nothing, **dict(flows)})
    truth = {leaf: Flow(*counts) for leaf, counts in table.leaves.items()}
    small = small_cells(table, least, MOVES)
    hiding = Hiding(table, {*small, *now.hidden, *eve.hidden})
    for moved in now.examples:
        _absorb(hiding, moved, lambda leaf, by: min(_both(truth[leaf]) + by, truth[leaf].departures))
    for moved in eve.examples:
        _absorb(hiding, moved, lambda leaf, by: min(_both(truth[leaf]), truth[leaf].departures + by))
    examples(hiding, small, least, lambda leaf: min(_both(truth[leaf]), truth[leaf].departures))
    moves = frozenset(hiding.hidden)
    return Decision(now, table, moves, _hide_timeliness(table, moves, least))


def _both(flow: Flow) -> int:
    return min(flow.arrivals, flow.on_time)


def _absorb(hiding: Hiding, level: Moves, room: Callable[[Cell, int], int]) -> None:
    """Hide what it takes that an example of who is registered can have come about.

    In it those who are more arrived that day (on time), or did not depart on the next: `room` is what is left of the
    least count of a cell then. Where that is negative, arrivals and departures rise together by as much as is missing.
    """
    left = {leaf: room(leaf, level[leaf]) for leaf in hiding.table.leaves}
    moved: Counter[Cell] = Counter()
    for leaf, room_left in sorted(left.items()):
        if room_left < 0:
            hiding.move(moved, leaf, -room_left, left.__getitem__)


def _hide_timeliness(table: Table, moves: frozenset[Cell], least: int) -> frozenset[Cell]:
    """Return which cells do not show how many were on time and how many late.

    Lates are few: what is hidden is so in every sum above too, and then only a cell's own arrivals bound it. The sum of
    a whole county is shown all the same where it has so many hidden lates that those of a small cell may as well be
    elsewhere, or elsewhere's there; and twice as many on time, since the examples of arrivals may take some of them.
    """
    small = small_cells(table, least, TIMELINESS)
    hidden = moves | {above for cell in small for above in table.above(cell)}
    shown: set[Cell] = set()
    for top in {cell for cell in hidden - moves if cell[1] == TOTAL and not ancestors(cell[0])}:
        free = [leaf for leaf in table.leaves if leaf in hidden and top in table.above(leaf)]

        def elsewhere(cell: Cell, measure: int, free: list[Cell] = free) -> int:
            return sum(table.leaves[leaf][measure] for leaf in free if cell not in table.above(leaf))

        inside = [cell for cell in small if top in table.above(cell)]
        if top not in small and all(elsewhere(cell, 3) >= least and elsewhere(cell, 2) >= 2 * least for cell in inside):
            shown.add(top)
    return hidden - shown
