"""What a reader asks for: a division of the tree, and a day that has begun and has rules."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.reporting.domain.divisions import LEVELS

# The city's day.
CITY = ZoneInfo("Asia/Shanghai")


class BadQuestion(ValueError):
    """What was asked for cannot be answered. `field` and `code` say why."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code


def today(now: datetime) -> date:
    """Return the city's date."""
    return now.astimezone(CITY).date()


def check_division(division: str) -> str:
    """Return the division. Only whole levels are answered: other prefixes would be sums that nothing protects."""
    if len(division) not in LEVELS or not (division.isascii() and division.isdigit()):
        raise BadQuestion("division", "not-a-division")
    return division


def check_day(on: date, earliest: date, now: datetime, field: str = "on") -> date:
    """Return the day. Raises BadQuestion for one that has not begun, and before the earliest.

    That is the first day of the first rules: nothing says how small a figure of an older one would be hidden.
    """
    if on > today(now):
        raise BadQuestion(field, "in-the-future")
    if on < earliest:
        raise BadQuestion(field, "too-early")
    return on
