"""Each class of data has a term; what is deleted now has ended its term, and what has ended it goes in time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.retention import CLASSES, Term

RETENTION = packs.load().on(date(2026, 11, 24), "330199").retention
SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone added
TERMS = st.builds(
    lambda unit, n: Term(
        days=n if unit == "days" else None,
        months=n if unit == "months" else None,
        begins_zh="",
        begins_en="",
        source="",
    ),
    st.sampled_from(["days", "months"]),
    st.integers(min_value=1, max_value=120),
)


@pytest.mark.parametrize("class_", CLASSES)
def test_every_class_has_a_term_with_its_beginning_and_source(class_: str) -> None:
    term = RETENTION.after(class_)
    assert (term.days is None) != (term.months is None)
    assert term.begins_zh
    assert term.begins_en.isascii()
    assert "法" in term.source or "本系统设计" in term.source


def test_terms_that_others_count_on() -> None:
    assert RETENTION.after("outbox").days == 7
    assert RETENTION.after("idempotency").days == 30
    assert (RETENTION.after("read_log").months or 0) >= 36
    assert (RETENTION.after("headcount_history").days or 99) <= 7
    stay, token = RETENTION.after("stay"), RETENTION.after("matched_token")
    assert (stay.days, stay.months) == (token.days, token.months)


def test_no_such_class_is_an_error() -> None:
    with pytest.raises(KeyError):
        RETENTION.after("face")


@pytest.mark.parametrize(
    ("departed", "ends"),
    [("2026-11-24", "2027-11-24"), ("2028-02-29", "2029-02-28"), ("2027-02-28", "2028-02-28")],
)
def test_a_stay_goes_a_year_after_the_departure_by_the_clock_of_the_city(departed: str, ends: str) -> None:
    began = datetime.fromisoformat(f"{departed}T01:30:00").replace(tzinfo=SHANGHAI).astimezone(UTC)
    assert RETENTION.after("stay").ends(began) == datetime.fromisoformat(f"{ends}T01:30:00").replace(tzinfo=SHANGHAI)


@given(TERMS, MOMENTS)
def test_nothing_is_deleted_before_its_term_has_ended(term: Term, now: datetime) -> None:
    assert term.ends(term.cut_off(now)) <= now


@given(TERMS, MOMENTS)
def test_everything_is_deleted_soon_after_its_term_has_ended(term: Term, began_at: datetime) -> None:
    """At the latest three days on: a term in months that begins on a month's last days ends before it can be seen."""
    assert began_at <= term.cut_off(term.ends(began_at) + timedelta(days=3 if term.months else 0))


@given(TERMS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=900)))
def test_what_began_earlier_never_goes_later(term: Term, began_at: datetime, later: timedelta) -> None:
    assert term.ends(began_at) <= term.ends(began_at + later)
    assert term.cut_off(began_at) <= term.cut_off(began_at + later)
