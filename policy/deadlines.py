"""Until when a stay must be registered, and how late a registration is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from policy.calendar import Calendar
from policy.reading import Value

STAY_KINDS: Final = ("tenant", "hotel_guest", "dormitory", "site_worker", "host_family", "other")
# The law's days are the country's days, wherever the server stands.
LOCAL: Final = ZoneInfo("Asia/Shanghai")
_END_OF_DAY = time(23, 59, 59, 999999)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A term after the arrival: exactly one of `hours`, `days`, `working_days` is set; `source` names the article."""

    hours: int | None
    days: int | None
    working_days: int | None
    source: str

    def due(self, arrived_at: datetime, calendar: Calendar) -> datetime:
        """The last moment that is in time (UTC not required: the answer has the zone of Asia/Shanghai).

        Hours run from the moment. Days and working days run to the end of the last one, the day of arrival not
        counted (民法典 arts. 201 and 203); a term in days that ends on a holiday ends on the next working day.
        """
        local = arrived_at.astimezone(LOCAL)
        if self.hours is not None:
            return local + timedelta(hours=self.hours)
        if self.working_days is not None:
            last = calendar.add_working_days(local.date(), self.working_days)
        else:
            last = local.date() + timedelta(days=self.days or 0)
            if not calendar.is_working_day(last):
                last = calendar.add_working_days(last, 1)
        return datetime.combine(last, _END_OF_DAY, LOCAL)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The registration deadlines in force on a day, by kind of stay."""

    by_kind: Mapping[str, Deadline]
    foreign: Deadline
    calendar: Calendar

    def for_stay(self, kind: str, *, foreign: bool = False) -> Deadline:
        """The deadline of a kind of stay (a KeyError for no such kind).

        `foreign` is for people who registered with a passport of another country: the Exit and Entry Administration
        Law sets their term whatever the kind.
        """
        deadline = self.by_kind[kind]
        return self.foreign if foreign else deadline

    def days_late(self, kind: str, arrived_at: datetime, recorded_at: datetime, *, foreign: bool = False) -> int:
        """Whole calendar days (Asia/Shanghai) after the last day in time; 0 when in time, at least 1 when late."""
        due = self.for_stay(kind, foreign=foreign).due(arrived_at, self.calendar)
        if recorded_at <= due:
            return 0
        return max(1, (recorded_at.astimezone(LOCAL).date() - due.date()).days)


def _deadline(value: Value) -> Deadline:
    record = value.record(("source",), ("hours", "days", "working_days"))
    terms = {key: record[key].whole(1, 400) for key in ("hours", "days", "working_days") if key in record}
    if len(terms) != 1:
        raise value.refuse("exactly one of hours, days, working_days is expected")
    return Deadline(
        hours=terms.get("hours"),
        days=terms.get("days"),
        working_days=terms.get("working_days"),
        source=record["source"].text(),
    )


def read(values: Value, calendar: Calendar) -> Deadlines:
    """The `values` of a pack `registration_deadlines`."""
    record = values.record(("stays", "foreign"))
    by_kind = {kind: _deadline(value) for kind, value in record["stays"].record(STAY_KINDS).items()}
    return Deadlines(by_kind=by_kind, foreign=_deadline(record["foreign"]), calendar=calendar)
