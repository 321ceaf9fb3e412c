"""Working days: weekdays without the public holidays, and the weekend days worked instead of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from policy.reading import Value

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The exceptions to Monday-to-Friday that the State Council announces for each year.

    Source: 全国年节及纪念日放假办法 and the General Office's yearly notice (packs `working_days`). In a year that no
    pack covers, every Monday to Friday counts as a working day.
    """

    holidays: frozenset[date]
    worked: frozenset[date]
    years: frozenset[int]

    def covers(self, year: int) -> bool:
        """Whether a pack says which days of the year are holidays."""
        return year in self.years

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on that day."""
        return day in self.worked or (day.weekday() < _SATURDAY and day not in self.holidays)

    def add_working_days(self, day: date, n: int) -> date:
        """The n-th working day after `day` (n ≥ 1), `day` itself not counted; `day` when n is 0.

        Source: 民法典 art. 201: a term in days does not count the day on which it begins.
        """
        if n < 0:
            raise ValueError("n must not be negative")
        while n > 0:
            day += timedelta(days=1)
            n -= self.is_working_day(day)
        return day


def read(values: Value, first: date, last: date) -> tuple[frozenset[date], frozenset[date]]:
    """Holidays and worked weekend days of one pack, both within the pack's period."""
    record = values.record(("holidays", "worked"))
    holidays: set[date] = set()
    for item in record["holidays"].items():
        holiday = item.record(("name", "from", "to"))
        holiday["name"].record(("zh", "en"))
        start, end = holiday["from"].day(), holiday["to"].day()
        if not first <= start <= end <= last:
            raise item.refuse(f"{start} to {end} is not a period within {first} and {last}")
        holidays.update(start + timedelta(days=n) for n in range((end - start).days + 1))
    worked: set[date] = set()
    for item in record["worked"].items() if not record["worked"].is_null() else ():
        day = item.day()
        if not first <= day <= last or day.weekday() < _SATURDAY or day in holidays:
            raise item.refuse(f"{day} is not a Saturday or Sunday of the period outside the holidays")
        worked.add(day)
    return frozenset(holidays), frozenset(worked)


def merge(parts: Iterable[tuple[date, frozenset[date], frozenset[date]]]) -> Calendar:
    """One calendar from the packs of several years, each given as (first day, holidays, worked)."""
    known = list(parts)
    return Calendar(
        holidays=frozenset().union(*(holidays for _, holidays, _ in known)),
        worked=frozenset().union(*(worked for _, _, worked in known)),
        years=frozenset(first.year for first, _, _ in known),
    )
