"""Terms of notices: instruments by kind, the longest term, steps for the officer, the limit on token requests."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from policy.deadlines import LOCAL
from policy.reading import Value, two_languages

NOTICE_KINDS: Final = ("wanted", "missing_person", "lost_document", "protection_order", "family_tracing")
INSTRUMENTS: Final = (
    "arrest_approval",
    "court_decision",
    "wanted_order",
    "missing_report",
    "loss_report",
    "protection_ruling",
    "relative_request",
)
# The least that product.md grants the notice desk.
LEAST_TOKEN_REQUESTS_PER_HOUR: Final = 1000


@dataclass(frozen=True, slots=True)
class NoticeTerm:
    """What holds for one kind of notice; exactly one of `days` and `months` is set."""

    instruments: tuple[str, ...]
    days: int | None
    months: int | None
    steps_zh: tuple[str, ...]
    steps_en: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class NoticeTerms:
    """The terms in force on a day, by kind of notice. Unknown kinds raise KeyError."""

    by_kind: Mapping[str, NoticeTerm]
    token_requests_per_hour: int
    starts_at_most_days_back: int
    starts_at_most_days_ahead: int

    def instruments(self, kind: str) -> tuple[str, ...]:
        """The instruments that a notice of this kind may rest on."""
        return self.by_kind[kind].instruments

    def latest_end(self, kind: str, starts_at: datetime) -> datetime:
        """The last moment at which a notice that starts then may end.

        A term in months ends on the same day of the month, or on the month's last day (民法典 art. 202), by the clock
        of Asia/Shanghai.
        """
        term = self.by_kind[kind]
        if term.days is not None:
            return starts_at + timedelta(days=term.days)
        local = starts_at.astimezone(LOCAL)
        months = local.year * 12 + local.month - 1 + (term.months or 0)
        year, month = months // 12, months % 12 + 1
        return local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))

    def term(self, kind: str) -> int:
        """The longest term in days, rounded up; `latest_end` is exact."""
        term = self.by_kind[kind]
        # Any six months in a row have at most 184 days; 31 a month never falls short.
        return term.days if term.days is not None else 31 * (term.months or 0)

    def steps(self, kind: str, language: Literal["zh", "en"] = "zh") -> list[str]:
        """What the duty officer does, in order, on an alert of this kind."""
        term = self.by_kind[kind]
        return list(term.steps_zh if language == "zh" else term.steps_en)


def _term(value: Value) -> NoticeTerm:
    record = value.record(("instruments", "steps", "source"), ("max_days", "max_months"))
    if ("max_days" in record) == ("max_months" in record):
        raise value.refuse("exactly one of max_days, max_months is expected")
    steps = [two_languages(item) for item in record["steps"].items()]
    return NoticeTerm(
        instruments=tuple(item.one_of(INSTRUMENTS) for item in record["instruments"].items()),
        days=record["max_days"].whole(1, 3660) if "max_days" in record else None,
        months=record["max_months"].whole(1, 120) if "max_months" in record else None,
        steps_zh=tuple(zh for zh, _ in steps),
        steps_en=tuple(en for _, en in steps),
        source=record["source"].text(),
    )


def read(values: Value) -> NoticeTerms:
    """The `values` of a pack `notice_terms`."""
    record = values.record(
        ("kinds", "token_requests_per_hour", "starts_at_most_days_back", "starts_at_most_days_ahead")
    )
    return NoticeTerms(
        by_kind={kind: _term(value) for kind, value in record["kinds"].record(NOTICE_KINDS).items()},
        token_requests_per_hour=record["token_requests_per_hour"].whole(LEAST_TOKEN_REQUESTS_PER_HOUR, 1_000_000),
        starts_at_most_days_back=record["starts_at_most_days_back"].whole(0, 30),
        starts_at_most_days_ahead=record["starts_at_most_days_ahead"].whole(0, 366),
    )
