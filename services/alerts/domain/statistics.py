"""Counts of a day, by division and kind: how many alerts were raised, and how many came to which step how soon."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

STEPS = ("raised", "acknowledged", "verified", "closed", "cleared", "retracted")
SECONDS = ("acknowledge_seconds", "verify_seconds", "close_seconds", "clear_seconds")
# Days before are as they were last published: alerts are deleted after their term, figures are not.
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
    """Return the counts that differ from what was published; a day that has nothing any more counts zero."""
    counted = {key: its for key, its in _counted(sums, today).items() if key[2] >= first_day(today)}
    counted |= {key: dict.fromkeys((*STEPS, *SECONDS), 0) for key in published.keys() - counted.keys()}
    return {key: its for key, its in sorted(counted.items()) if its != published.get(key)}


def _counted(sums: Sums, today: date) -> dict[Key, Mapping[str, int]]:
    days = {key: its for key, its in sums.items() if key[2] <= today}
    return {key: {each: its.get(each, 0) for each in (*STEPS, *SECONDS)} for key, its in days.items()}
