"""Counts of a day, by division and kind: what is open at its end, and what happened on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# At the day's end; the rest of the measures happened on the day.
LEVELS = (
    "premises_open",
    "premises_closed",
    *(f"hazards_open_{severity}" for severity in ("minor", "serious", "imminent")),
)
MEASURES = (
    *LEVELS,
    *(f"inspections_{outcome}" for outcome in ("done", "nobody_home", "refused")),
    *(
        f"{what}_{severity}"
        for what in ("hazards_found", "hazards_cleared", "clear_seconds")
        for severity in ("minor", "serious", "imminent")
    ),
)
# Days before are as they were last published: what lies behind them may have been deleted by then.
COUNTED_DAYS = 90
# The city's day.
CITY = ZoneInfo("Asia/Shanghai")

Key = tuple[str, str, date]
"""Division code, kind and day of Asia/Shanghai."""
Sums = Mapping[Key, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Counts of one kind in one division on one day, as published under `version`."""

    day: date
    division_code: str
    kind: str
    counts: Mapping[str, int]
    version: int


def city_day(now: datetime) -> date:
    """Return the city's date."""
    return now.astimezone(CITY).date()


def first_day(today: date) -> date:
    """Return the first day that is counted anew."""
    return today - timedelta(days=COUNTED_DAYS)


def changed_days(sums: Sums, published: Sums, today: date) -> dict[Key, Mapping[str, int]]:
    """Return the counts that differ from what was published.

    What is open is carried on to the days after; today always stands.
    """
    counted = {key: its for key, its in _counted(sums, today).items() if key[2] >= first_day(today)}
    for division, kind, day in published.keys() - counted.keys():
        # Nothing of what was counted happened on that day after all: it ends like the day before it.
        earlier = [key for key in counted if key[:2] == (division, kind) and key[2] < day]
        before = counted[max(earlier, key=lambda key: key[2])] if earlier else {}
        counted[division, kind, day] = {each: before.get(each, 0) if each in LEVELS else 0 for each in MEASURES}
    return {key: its for key, its in sorted(counted.items()) if its != published.get(key)}


def _counted(sums: Sums, today: date) -> dict[Key, Mapping[str, int]]:
    found: dict[Key, Mapping[str, int]] = {}
    standing: dict[tuple[str, str], dict[str, int]] = {}
    days = {*sums, *((division, kind, today) for division, kind, _day in sums)}
    for key in sorted(days):
        moved = sums.get(key, {})
        level = standing.setdefault(key[:2], dict.fromkeys(LEVELS, 0))
        for measure in LEVELS:
            level[measure] += moved.get(measure, 0)
        found[key] = {each: level[each] if each in LEVELS else moved.get(each, 0) for each in MEASURES}
    return found
