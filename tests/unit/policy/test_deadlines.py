"""A stay is in time until its due moment and late from then on, by whole days of the city's clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.deadlines import STAY_KINDS, Deadline

RULES = packs.load().on(date(2026, 11, 24), "330199")
DEADLINES = RULES.deadlines
SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone added
KINDS = st.sampled_from(STAY_KINDS)
LATER = st.timedeltas(timedelta(0), timedelta(days=60))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("arrived", "due"),
    [
        # Tuesday: Wednesday, Thursday, Friday.
        ("2026-11-24 10:00", "2026-11-27"),
        # Late in the evening is still that day.
        ("2026-11-24 23:59", "2026-11-27"),
        # Wednesday: the third day is a Saturday, so Monday (民法典 art. 203).
        ("2026-11-25 10:00", "2026-11-30"),
        # 28 September: the third day is National Day; the holidays end on the 7th.
        ("2026-09-28 10:00", "2026-10-08"),
        # 7 May: the third day is a Sunday, after a worked Saturday.
        ("2026-05-07 10:00", "2026-05-11"),
        # 6 May: the third day is that worked Saturday.
        ("2026-05-06 10:00", "2026-05-09"),
    ],
)
def test_a_tenant_has_three_days(arrived: str, due: str) -> None:
    moment = DEADLINES.for_stay("tenant").due(at(arrived), RULES.calendar)
    assert moment.astimezone(SHANGHAI).date().isoformat() == due
    assert DEADLINES.days_late("tenant", at(arrived), moment) == 0
    assert DEADLINES.days_late("tenant", at(arrived), moment + timedelta(microseconds=1)) == 1


def test_a_hotel_and_a_foreigner_have_24_hours() -> None:
    arrived = at("2026-11-24 10:00")
    for kind, foreign in (("hotel_guest", False), ("tenant", True), ("other", True)):
        assert DEADLINES.days_late(kind, arrived, arrived + timedelta(hours=24), foreign=foreign) == 0
        assert DEADLINES.days_late(kind, arrived, arrived + timedelta(hours=24, seconds=1), foreign=foreign) == 1
        assert DEADLINES.days_late(kind, arrived, arrived + timedelta(hours=72), foreign=foreign) == 2


def test_the_first_minutes_of_a_day_in_the_city_are_the_day_before_in_utc() -> None:
    arrived = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # 00:30 on the 24th in Shanghai
    assert DEADLINES.for_stay("tenant").due(arrived, RULES.calendar).date() == date(2026, 11, 27)


def test_every_deadline_cites_its_article() -> None:
    for kind in STAY_KINDS:
        assert "条" in DEADLINES.for_stay(kind).source
    assert "第三十九条" in DEADLINES.for_stay("tenant", foreign=True).source


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        DEADLINES.for_stay("squatter")
    with pytest.raises(KeyError):
        DEADLINES.for_stay("squatter", foreign=True)


def test_working_days_end_with_the_last_of_them() -> None:
    deadline = Deadline(hours=None, days=None, working_days=3, source="test")
    due = deadline.due(at("2026-09-30 09:00"), RULES.calendar)
    assert due.date() == date(2026, 10, 10)
    assert due + timedelta(microseconds=1) == at("2026-10-11 00:00")


@given(KINDS, MOMENTS, LATER, st.booleans())
def test_late_exactly_after_the_due_moment(kind: str, arrived: datetime, later: timedelta, foreign: bool) -> None:
    recorded = arrived + later
    due = DEADLINES.for_stay(kind, foreign=foreign).due(arrived, RULES.calendar)
    late = DEADLINES.days_late(kind, arrived, recorded, foreign=foreign)
    assert due > arrived
    assert (late == 0) == (recorded <= due)


@given(KINDS, MOMENTS, LATER, LATER)
def test_registering_later_is_never_less_late(kind: str, arrived: datetime, one: timedelta, more: timedelta) -> None:
    sooner = DEADLINES.days_late(kind, arrived, arrived + one)
    assert sooner <= DEADLINES.days_late(kind, arrived, arrived + one + more)
    assert DEADLINES.days_late(kind, arrived, arrived + one + timedelta(days=1)) <= sooner + 1
