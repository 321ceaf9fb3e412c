"""How many alerts there were, and how long their steps took, with small cells hidden day by day.

A period's count is shown where that of each of its days is. So periods that differ by a day tell no more than the days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from services.reporting.domain.asked import BadQuestion
from services.reporting.domain.read_models import Counted
from services.reporting.domain.suppression import TOTAL, Cell, Limit, Table, hide

STEPS = ("raised", "acknowledged", "verified", "closed", "cleared", "retracted")
# How long a step took is summed up beside it, in seconds since the alert was raised.
SECONDS = {
    "acknowledged": "acknowledge_seconds",
    "verified": "verify_seconds",
    "closed": "close_seconds",
    "cleared": "clear_seconds",
}
MEASURES = (*STEPS, *SECONDS.values())
LONGEST = timedelta(days=366)


def check_period(first: date, last: date) -> None:
    """Raise BadQuestion for a period that is none, or too long."""
    if last < first:
        raise BadQuestion("to", "ends-before-it-begins")
    if last - first >= LONGEST:
        raise BadQuestion("from", "too-long")


@dataclass(frozen=True)
class Period:
    """Counts of days by division, kind and step."""

    counted: Sequence[Counted]
    least: int

    @cached_property
    def _days(self) -> list[tuple[Table, Mapping[Cell, tuple[int, ...]], frozenset[Cell]]]:
        by_day: dict[date, list[Counted]] = {}
        for one in self.counted:
            by_day.setdefault(one.day, []).append(one)
        found = []
        for day in sorted(by_day):
            counts = {(one.division_code, one.kind): one.counts for one in by_day[day]}
            steps = Table.of({key: tuple(its.get(step, 0) for step in STEPS) for key, its in counts.items()})
            whole = Table.of({key: tuple(its.get(each, 0) for each in MEASURES) for key, its in counts.items()})
            found.append((steps, whole.cells, hide(steps, Limit(self.least, apart=True))))
        return found

    def shown(self, division: str, kind: str = TOTAL) -> dict[str, int | None]:
        """Return each step's count, and how many seconds it took on average; None where that is hidden."""
        cell = (division, kind)
        if any(cell in hidden for _steps, _cells, hidden in self._days):
            return dict.fromkeys((*STEPS, *SECONDS.values()))
        sums = [0] * len(MEASURES)
        for _steps, cells, _hidden in self._days:
            sums = [a + b for a, b in zip(sums, cells.get(cell, (0,) * len(MEASURES)), strict=True)]
        found: dict[str, int | None] = dict(zip(MEASURES, sums, strict=True))
        for step, seconds in SECONDS.items():
            count, total = found[step], found[seconds]
            found[seconds] = round(total / count) if count and total is not None else None
        return found

    def kinds(self, division: str) -> dict[str, dict[str, int | None]]:
        """Return the counts by kind; kinds without any are left out."""
        kinds = {kind for steps, _cells, _hidden in self._days for where, kind in steps.support if where == division}
        found = {kind: self.shown(division, kind) for kind in sorted(kinds - {TOTAL})}
        return {kind: its for kind, its in found.items() if any(its[step] is None or its[step] for step in STEPS)}
