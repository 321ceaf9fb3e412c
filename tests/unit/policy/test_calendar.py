"""Working days are those of the State Council's notice, and counting them obeys its definition."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.calendar import Calendar

CALENDAR = packs.load().on(date(2026, 11, 24), "330199").calendar
DAYS = st.dates(min_value=date(2025, 1, 1), max_value=date(2028, 12, 31))

# 国办发明电〔2025〕7号, written down day by day (weekdays off, weekend days worked), apart from the pack's periods.
WEEKDAYS_OFF_2026 = {
    *("01-01", "01-02", "02-16", "02-17", "02-18", "02-19", "02-20", "02-23", "04-06", "05-01", "05-04", "05-05"),
    *("06-19", "09-25", "10-01", "10-02", "10-05", "10-06", "10-07"),
}
WEEKEND_WORKED_2026 = {"01-04", "02-14", "02-28", "05-09", "09-20", "10-10"}


def test_2026_is_as_the_state_council_announced_it() -> None:
    first = date(2026, 1, 1)
    for day in (first + timedelta(days=n) for n in range(365)):
        key = f"{day:%m-%d}"
        expected = key in WEEKEND_WORKED_2026 or (day.weekday() < 5 and key not in WEEKDAYS_OFF_2026)
        assert CALENDAR.is_working_day(day) == expected, day


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_a_year_has_its_thirteen_holidays(year: int) -> None:
    # 365 days without 104 at weekends and 13 public holidays (全国年节及纪念日放假办法 art. 2); moved days cancel out.
    first = date(year, 1, 1)
    assert sum(CALENDAR.is_working_day(first + timedelta(days=n)) for n in range(365)) == 365 - 104 - 13


def test_three_working_days_over_national_day() -> None:
    # From Wednesday, 30 September: Thursday 8, Friday 9 and the worked Saturday, 10 October.
    assert CALENDAR.add_working_days(date(2026, 9, 30), 3) == date(2026, 10, 10)


@given(DAYS, st.integers(min_value=1, max_value=40))
def test_the_nth_working_day_is_one_and_has_n_of_them_before_it(day: date, n: int) -> None:
    end = CALENDAR.add_working_days(day, n)
    between = [day + timedelta(days=k) for k in range(1, (end - day).days + 1)]
    assert CALENDAR.is_working_day(end)
    assert sum(map(CALENDAR.is_working_day, between)) == n


@given(DAYS, st.integers(min_value=0, max_value=20), st.integers(min_value=0, max_value=20))
def test_counting_in_two_steps_is_counting_in_one(day: date, n: int, m: int) -> None:
    assert CALENDAR.add_working_days(CALENDAR.add_working_days(day, n), m) == CALENDAR.add_working_days(day, n + m)


@given(DAYS)
def test_a_year_without_pack_has_plain_weeks(day: date) -> None:
    plain = Calendar(frozenset(), frozenset(), frozenset())
    assert plain.is_working_day(day) == (day.isoweekday() <= 5)
    assert not plain.covers(day.year)
