"""Who is registered where, and what of it may be shown on which day.

Days are tied together: who is registered at a day's end are those of the day before, with the arrivals, without the
departures. So what happened on a day is shown of a cell only where who was registered is shown at both its ends; then
no chain of days leads from what is shown to what is hidden, and a day's decision never depends on a later day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from services.reporting.domain.divisions import REST
from services.reporting.domain.suppression import TOTAL, Cell, Counts, Limit, Table, hide

# In the order of interfaces.md, in which tables show them.
KINDS = ("tenant", "hotel_guest", "dormitory", "site_worker", "host_family", "other")


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

    registered: Mapping[tuple[str, str], int]
    before: Mapping[tuple[str, str], int]
    flows: Mapping[tuple[str, str], tuple[int, int, int, int]]
    least: int = field(default=10)

    @cached_property
    def _keys(self) -> set[tuple[str, str]]:
        # All three tables have one shape, so that a cell of one is a cell of the others.
        return {*self.registered, *self.before, *self.flows}

    def _table(self, counts: Mapping[tuple[str, str], Counts], width: int) -> Table:
        return Table.of({key: counts.get(key, (0,) * width) for key in self._keys})

    @cached_property
    def _levels(self) -> tuple[Table, Table]:
        return (
            self._table({key: (count,) for key, count in self.registered.items()}, 1),
            self._table({key: (count,) for key, count in self.before.items()}, 1),
        )

    @cached_property
    def _hidden_levels(self) -> tuple[frozenset[Cell], frozenset[Cell]]:
        now, before = self._levels
        limit = Limit(self.least, level=True)
        return hide(now, limit), hide(before, limit)

    @cached_property
    def _moves(self) -> Table:
        return self._table({key: each[:2] for key, each in self.flows.items()}, 2)

    @cached_property
    def _hidden_moves(self) -> frozenset[Cell]:
        now, before = self._hidden_levels
        return hide(self._moves, Limit(self.least), now | before)

    @cached_property
    def _timeliness(self) -> Table:
        return self._table({key: each[2:] for key, each in self.flows.items()}, 2)

    @cached_property
    def _hidden_timeliness(self) -> frozenset[Cell]:
        return hide(self._timeliness, Limit(self.least), self._hidden_moves)

    def shown(self, division: str, kind: str = TOTAL) -> Figures:
        """Return a division's figures of one kind, or of all."""
        cell = (division, kind)
        registered = _of(self._levels[0], self._hidden_levels[0], cell, 1)
        arrivals, departures = _of(self._moves, self._hidden_moves, cell, 2)
        on_time, late = _of(self._timeliness, self._hidden_timeliness, cell, 2)
        return Figures(registered[0], arrivals, departures, on_time, late)

    def kinds(self, division: str) -> dict[str, Figures]:
        """Return a division's figures by kind; kinds without any are left out."""
        found = {kind: self.shown(division, kind) for kind in KINDS}
        return {kind: figures for kind, figures in found.items() if not figures.nothing}

    def parts(self, division: str) -> list[str]:
        """Return the divisions that a division consists of, as far as something was counted there."""
        return sorted(each for each in self._levels[0].parts.get(division, ()) if not each.endswith(REST))


def _of(table: Table, hidden: frozenset[Cell], cell: Cell, width: int) -> tuple[int | None, ...]:
    if cell in hidden:
        return (None,) * width
    return tuple(table.cells.get(cell, (0,) * width))
