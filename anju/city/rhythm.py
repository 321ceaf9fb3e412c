"""Owns the city's day: how busy it is at which hour, and what people then do."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

CITY = ZoneInfo("Asia/Shanghai")

# Events of an hour against the day's mean, from midnight on; their mean is 1. Nights are calm, not dead: hotels.
PACE = (
    0.6, 0.5, 0.5, 0.5, 0.5, 0.6, 0.8, 1.0, 1.2, 1.3, 1.3, 1.2,
    1.1, 1.1, 1.2, 1.2, 1.2, 1.3, 1.4, 1.4, 1.3, 1.1, 0.9, 0.8,
)  # fmt: skip
OFFICE_HOURS = range(8, 18)
CHECK_OUT_HOURS = range(6, 13)

# Of a thousand events: at two a second a wanted person about every two minutes, a crowded flat every eight.
EVENTS = {"arrival": 480.0, "departure": 460.0, "correction": 40.0, "notice": 4.0, "proposal": 0.4, "crowd": 1.0}
INSPECTION, STUB = 25.0, 1.0
# Inspectors and clerks who correct work by day.
AT_NIGHT = 0.25


def pace(at: datetime) -> float:
    """How busy the city is at this moment; 1 is the day's mean."""
    return PACE[at.astimezone(CITY).hour]


def mix(at: datetime, fullness: float, *, inspections: bool, stubs: bool) -> Mapping[str, float]:
    """The weight of each kind of event. `fullness` is residents against the number wanted: the city keeps its size."""
    hour = at.astimezone(CITY).hour
    by_day = 1.0 if hour in OFFICE_HOURS else AT_NIGHT
    leaving = 1.15 if hour in CHECK_OUT_HOURS else 0.95
    weights = dict(EVENTS)
    weights["departure"] *= leaving * fullness**4
    weights["correction"] *= by_day
    if inspections:
        weights["inspection"] = INSPECTION * by_day
    if stubs:
        weights["stub"] = STUB * by_day
    return weights


def today(now: datetime) -> date:
    """The city's day."""
    return now.astimezone(CITY).date()
