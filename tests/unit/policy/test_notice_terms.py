"""Notices rest on their own instruments, end within their term, and come with steps in both languages."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.notices import NOTICE_KINDS

RULES = packs.load().on(date(2026, 11, 24), "330199")
NOTICES = RULES.notices
SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone added


@pytest.mark.parametrize(
    ("kind", "instruments"),
    [
        ("wanted", {"arrest_approval", "court_decision", "wanted_order"}),
        ("missing_person", {"missing_report"}),
        ("lost_document", {"loss_report"}),
        ("protection_order", {"protection_ruling"}),
        ("family_tracing", {"relative_request"}),
    ],
)
def test_a_kind_rests_on_its_own_instruments(kind: str, instruments: set[str]) -> None:
    assert set(NOTICES.instruments(kind)) == instruments


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-24", "2027-05-24"),
        ("2026-08-31", "2027-02-28"),
        ("2027-08-31", "2028-02-29"),
        ("2026-12-01", "2027-06-01"),
    ],
)
def test_a_protection_order_lasts_six_months_at_most(start: str, end: str) -> None:
    starts_at = datetime.fromisoformat(f"{start}T09:30:00").replace(tzinfo=SHANGHAI)
    assert NOTICES.latest_end("protection_order", starts_at) == datetime.fromisoformat(f"{end}T09:30:00").replace(
        tzinfo=SHANGHAI
    )


@given(st.sampled_from(NOTICE_KINDS), MOMENTS)
def test_the_term_in_days_covers_the_latest_end(kind: str, starts_at: datetime) -> None:
    length = NOTICES.latest_end(kind, starts_at) - starts_at
    assert timedelta(0) < length <= timedelta(days=NOTICES.term(kind))


@given(st.sampled_from(NOTICE_KINDS), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_later_start_never_ends_sooner(kind: str, starts_at: datetime, later: timedelta) -> None:
    assert NOTICES.latest_end(kind, starts_at) <= NOTICES.latest_end(kind, starts_at + later)


@pytest.mark.parametrize("kind", NOTICE_KINDS)
def test_every_kind_has_steps_in_both_languages_and_clocks_that_fit(kind: str) -> None:
    chinese, english = NOTICES.steps(kind, "zh"), NOTICES.steps(kind, "en")
    assert len(chinese) == len(english) >= 3
    assert all(any("\u4e00" <= character <= "\u9fff" for character in step) for step in chinese)
    assert all(step.isascii() for step in english)
    clocks = RULES.severities.of(kind)
    assert clocks.acknowledge_seconds < clocks.verify_seconds < clocks.close_seconds


def test_more_severe_kinds_are_taken_up_sooner() -> None:
    order = ["critical", "urgent", "normal", "info"]
    clocks = sorted((RULES.severities.of(kind) for kind in NOTICE_KINDS), key=lambda c: order.index(c.severity))
    seconds = [clock.acknowledge_seconds for clock in clocks]
    assert seconds == sorted(seconds)
    assert {clock.severity for clock in clocks} == set(order)


def test_the_notice_desk_may_ask_for_a_thousand_tokens_an_hour_at_least() -> None:
    assert NOTICES.token_requests_per_hour >= 1000
    assert (NOTICES.starts_at_most_days_back, NOTICES.starts_at_most_days_ahead) == (1, 90)


def test_an_unknown_kind_is_an_error() -> None:
    for answer in (NOTICES.instruments, NOTICES.term, NOTICES.steps, RULES.severities.of):
        with pytest.raises(KeyError):
            answer("suspicious_person")
