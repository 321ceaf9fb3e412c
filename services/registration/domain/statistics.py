"""Counts of a day: what a stay adds to them, and how that changes when it ends, is corrected or is annulled."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from services.registration.domain.stays import CITY, Stay, StayKind


@dataclass(frozen=True, slots=True)
class Change:
    """By how much the counts of one kind in one division change on one day of Asia/Shanghai."""

    day: date
    division_code: str
    kind: StayKind
    arrivals: int = 0
    departures: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Counts of one kind in one division on one day, as they stand. `registered` is at the day's end."""

    day: date
    division_code: str
    kind: StayKind
    registered: int
    arrivals: int
    departures: int
    late: int
    version: int


def changes(before: Stay | None, after: Stay | None) -> list[Change]:
    """Return what counts change when a stay becomes another: None before an arrival, and after an annulment.

    An arrival and a departure count on the day they happened, whenever they were recorded.
    """
    arrivals: Counter[date] = Counter()
    departures: Counter[date] = Counter()
    late: Counter[date] = Counter()
    one = after or before
    for stay, sign in ((before, -1), (after, 1)):
        if stay is None:
            continue
        arrived_on = stay.arrived_at.astimezone(CITY).date()
        arrivals[arrived_on] += sign
        late[arrived_on] += sign * (stay.days_late > 0)
        if stay.departed_at is not None:
            departures[stay.departed_at.astimezone(CITY).date()] += sign
    if one is None:
        return []
    return [
        Change(day, one.division_code, one.kind, arrivals[day], departures[day], late[day])
        for day in sorted(arrivals.keys() | departures.keys())
        if arrivals[day] or departures[day] or late[day]
    ]
