"""Dates and times as people write them: in the city's time, near to now, with nights or days counted."""

from datetime import UTC, date, datetime, time

import pytest

from chassis.web import moments

# 2026-11-25 02:00 UTC is ten o'clock in the city.
NOW = datetime(2026, 11, 25, 2, 0, 42, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["19900213", "1990-02-13", "1990.02.13", "１９９００２１３", " 1990/02/13 "])
def test_a_day(typed: str) -> None:
    assert moments.read_day(typed) == date(1990, 2, 13)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("10:44", "2026-11-25T10:44:00+08:00"),
        ("11-24 10:44", "2026-11-24T10:44:00+08:00"),
        ("１１-２４　１０：４４", "2026-11-24T10:44:00+08:00"),
        ("1-3 9:05", "2027-01-03T09:05:00+08:00"),
        ("2025-11-24T10:44", "2025-11-24T10:44:00+08:00"),
    ],
)
def test_a_moment_is_the_citys_and_the_nearest(typed: str, meant: str) -> None:
    assert moments.read_moment(typed, NOW) == datetime.fromisoformat(meant)


def test_an_end_counted_in_days() -> None:
    assert moments.read_end("+2", NOW, at=time(12)) == datetime.fromisoformat("2026-11-27T12:00:00+08:00")
    assert moments.read_end("+30", NOW) == datetime.fromisoformat("2026-12-25T10:00:00+08:00")


@pytest.mark.parametrize("typed", ["", "soon", "19900230", "13-40 10:00", "25:00", "+"])
def test_what_is_none_stays_for_the_model_to_refuse(typed: str) -> None:
    assert moments.day_for_model(typed) == typed
    assert moments.end_for_model(typed, NOW) == typed


def test_what_is_shown_can_be_typed() -> None:
    minute = NOW.replace(second=0)
    assert moments.read_moment(moments.show_moment(minute), NOW) == minute
    assert moments.read_moment(moments.show_distant(minute), NOW) == minute
