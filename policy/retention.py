"""How long each class of data is kept after the moment its clock starts."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from policy.deadlines import LOCAL
from policy.reading import Value, two_languages

CLASSES: Final = (
    "stay",
    "person",
    "matched_token",
    "stay_alert",
    "headcount_history",
    "operator",
    "inspection",
    "notice_token",
    "notice",
    "alert",
    "read_log",
    "department_event",
    "token_request",
    "dead_letter",
    "outbox",
    "idempotency",
)
# 个人信息保护法 art. 56: records of processing are kept for three years at least.
_LEAST_READ_LOG_MONTHS: Final = 36
# How long events can be sent again and repeated requests get their first answer: the platform is built for these.
_FIXED_DAYS: Final[Mapping[str, int]] = {"outbox": 7, "idempotency": 30}
# The published figures of the last 90 days are counted anew from the rows behind them: those must still be there.
_COUNTED_DAYS: Final = 90
_COUNTED: Final = ("inspection", "alert")
# A day before the year's shortest months, so that a term in months is measured at its shortest.
_ANY_DAY: Final = datetime(2027, 1, 31, 12, tzinfo=LOCAL)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of exactly one of `days` and `months`, by the calendar of Asia/Shanghai.

    `begins_zh` and `begins_en` say which moment starts the clock; `source` names the article.
    """

    days: int | None
    months: int | None
    begins_zh: str
    begins_en: str
    source: str

    def ends(self, began_at: datetime) -> datetime:
        """When what began its term then is to be deleted.

        A term in months ends on the same day of the month, or on the month's last day (民法典 art. 202).
        """
        return self._shifted(began_at, 1)

    def cut_off(self, now: datetime) -> datetime:
        """What began its term at this moment or before is to be deleted now: `WHERE departed_at <= cut_off`.

        Never too early; at most three days later than `ends` says, for terms that begin on the last days of a month.
        """
        return self._shifted(now, -1)

    def _shifted(self, moment: datetime, sign: int) -> datetime:
        if self.days is not None:
            return moment + sign * timedelta(days=self.days)
        local = moment.astimezone(LOCAL)
        months = local.year * 12 + local.month - 1 + sign * (self.months or 0)
        year, month = months // 12, months % 12 + 1
        return local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Retention:
    """The terms in force on a day."""

    by_class: Mapping[str, Term]

    def after(self, class_: str) -> Term:
        """The term of a class of data (CLASSES); a KeyError for no such class."""
        return self.by_class[class_]


def _term(value: Value) -> Term:
    record = value.record(("begins", "source"), ("days", "months"))
    if ("days" in record) == ("months" in record):
        raise value.refuse("exactly one of days, months is expected")
    begins = two_languages(record["begins"])
    return Term(
        days=record["days"].whole(1, 3660) if "days" in record else None,
        months=record["months"].whole(1, 120) if "months" in record else None,
        begins_zh=begins[0],
        begins_en=begins[1],
        source=record["source"].text(),
    )


def read(values: Value) -> Retention:
    """The `values` of a pack `retention`."""
    record = values.record(CLASSES)
    by_class = {class_: _term(value) for class_, value in record.items()}
    if (by_class["read_log"].months or 0) < _LEAST_READ_LOG_MONTHS:
        raise record["read_log"].refuse(f"{_LEAST_READ_LOG_MONTHS} months are the least (个人信息保护法 art. 56)")
    for class_, days in _FIXED_DAYS.items():
        if by_class[class_].days != days:
            raise record[class_].refuse(f"{days} days are what the platform is built for")
    for class_ in _COUNTED:
        if by_class[class_].ends(_ANY_DAY) <= _ANY_DAY + timedelta(days=_COUNTED_DAYS + 1):
            raise record[class_].refuse(f"figures of the last {_COUNTED_DAYS} days are counted from these rows")
    stay, person, token = (by_class[class_] for class_ in ("stay", "person", "matched_token"))
    if not (stay.days, stay.months) == (person.days, person.months) == (token.days, token.months):
        raise record["stay"].refuse("a stay, its person's last stay and its matching token have one term")
    return Retention(by_class=by_class)
