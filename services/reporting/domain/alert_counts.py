"""How many alerts there were, and how long their steps took, with small cells hidden day by day.

A period's count is shown where that of each of its days is. So periods that differ by a day tell no more than the days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from services.reporting.domain.read_models import Counted
from services.reporting.domain.suppression import Hiding, examples, small_cells
from services.reporting.domain.tables import TOTAL, Cell, Counts, Table

STEPS = ("raised", "acknowledged", "verified", "closed", "cleared", "retracted")
# How long a step took is summed up beside it, in seconds since the alert was raised.
SECONDS = {
    "acknowledged": "acknowledge_seconds",
    "verified": "verify_seconds",
    "closed": "close_seconds",
    "cleared": "clear_seconds",
}
MEASURES = (*STEPS, *SECONDS.values())


@dataclass(frozen=True)
class Period:
    """Counts of days by division, kind and step.

    `of_premises` are the kinds that count premises: what a rule found of a place's state. All others count people, as
    notices do, and their small cells are hidden; so are totals with such a cell in them.
    """

    counted: Sequence[Counted]
    least: int
    of_premises: frozenset[str] = frozenset()

    @cached_property
    def _days(self) -> list[tuple[Table, frozenset[Cell]]]:
        by_day: dict[date, dict[Cell, Counts]] = {}
        for one in self.counted:
            counts = tuple(one.counts.get(each, 0) for each in MEASURES)
            by_day.setdefault(one.day, {})[one.division_code, one.kind] = counts
        found = []
        for _day, counted in sorted(by_day.items()):
            people = {key: its[: len(STEPS)] for key, its in counted.items() if key[1] not in self.of_premises}
            found.append((Table.of(counted), hidden_steps(frozenset(people.items()), self.least)))
        return found

    def shown(self, division: str, kind: str = TOTAL) -> dict[str, int | None]:
        """Return each step's count, and how many seconds it took on average; None where that is hidden."""
        cell = (division, kind)
        if any(cell in hidden for _table, hidden in self._days):
            return dict.fromkeys(MEASURES)
        sums = [0] * len(MEASURES)
        for table, _hidden in self._days:
            sums = [a + b for a, b in zip(sums, table.cells.get(cell, (0,) * len(MEASURES)), strict=True)]
        found: dict[str, int | None] = dict(zip(MEASURES, sums, strict=True))
        for step, seconds in SECONDS.items():
            count, total = found[step], found[seconds]
            found[seconds] = round(total / count) if count and total is not None else None
        return found

    def kinds(self, division: str) -> dict[str, dict[str, int | None]]:
        """Return the counts by kind; kinds without any are left out."""
        kinds = {kind for table, _hidden in self._days for where, kind in table.cells if where == division}
        found = {kind: self.shown(division, kind) for kind in sorted(kinds - {TOTAL})}
        return {kind: its for kind, its in found.items() if any(its[step] is None or its[step] for step in STEPS)}

    def parts(self, division: str) -> list[str]:
        """Return the divisions that a division consists of, as far as something was counted there."""
        return sorted({part for table, _hidden in self._days for part in table.parts(division)})


@lru_cache(maxsize=400)
def hidden_steps(people: frozenset[tuple[Cell, Counts]], least: int) -> frozenset[Cell]:
    """Return which cells of a day's alerts of people are hidden. Steps are not tied together: each has its examples."""
    table = Table.of(dict(people))
    hiding = Hiding(table, set(small_cells(table, least)))
    for step in range(len(STEPS)):
        counts = {leaf: its[step] for leaf, its in table.leaves.items()}
        examples(hiding, small_cells(table, least, slice(step, step + 1)), least, counts.__getitem__)
    return frozenset(hiding.hidden)
