"""Dates and times as people write them at a desk, in the city's time, whatever language their browser speaks."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from chassis.web.forms import LOCAL

DAY = re.compile(r"(?P<year>[0-9]{4})[-./]?(?P<month>[0-9]{2})[-./]?(?P<day>[0-9]{2})")
MOMENT = re.compile(
    r"(?:(?:(?P<year>[0-9]{4})[-./])?(?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})\s+)?"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
)
IN_DAYS = re.compile(r"\+(?P<days>[0-9]{1,3})")
HALF_A_YEAR = timedelta(days=183)


def read_day(typed: str) -> date:
    """Return a date written as 19900213 or 1990-02-13. Raises ValueError."""
    found = DAY.fullmatch(_plain(typed))
    if found is None:
        raise ValueError("no date")
    return date(int(found["year"]), int(found["month"]), int(found["day"]))


def read_moment(typed: str, now: datetime) -> datetime:
    """Return a time of the city written as 10:44, 11-24 10:44 or 2026-11-24 10:44. Raises ValueError.

    Without a year it is the one that brings the time nearest to `now`; without a day it is today.
    """
    found = MOMENT.fullmatch(_plain(typed).replace("T", " "))
    if found is None:
        raise ValueError("no time")
    here = now.astimezone(LOCAL)
    at = time(int(found["hour"]), int(found["minute"]), tzinfo=LOCAL)
    if found["day"] is None:
        return datetime.combine(here.date(), at)
    month, day = int(found["month"]), int(found["day"])
    if found["year"] is not None:
        return datetime.combine(date(int(found["year"]), month, day), at)
    moment = datetime.combine(date(here.year, month, day), at)
    if moment - here > HALF_A_YEAR:
        return moment.replace(year=here.year - 1)
    return moment.replace(year=here.year + 1) if here - moment > HALF_A_YEAR else moment


def read_end(typed: str, now: datetime, *, at: time | None = None) -> datetime:
    """Return an end: a time, or +2 for in two days, at the hour `at` or at that of `now`. Raises ValueError."""
    found = IN_DAYS.fullmatch(_plain(typed))
    if found is None:
        return read_moment(typed, now)
    here = now.astimezone(LOCAL).replace(second=0, microsecond=0)
    return datetime.combine(here.date() + timedelta(days=int(found["days"])), at or here.time(), LOCAL)


def day_for_model(typed: str) -> str:
    """Return a typed date as a model takes it (2026-11-24); what is none stays as it is, for the model to refuse."""
    try:
        return read_day(typed).isoformat()
    except ValueError:
        return typed


def end_for_model(typed: str, now: datetime) -> str:
    """Return a typed time, or +30, as a model takes it (RFC 3339); what is none stays, for the model to refuse."""
    try:
        return read_end(typed, now).isoformat()
    except ValueError:
        return typed


def show_moment(moment: datetime) -> str:
    """Return a time as it is typed: 11-24 10:44."""
    return f"{moment.astimezone(LOCAL):%m-%d %H:%M}"


def show_distant(moment: datetime) -> str:
    """Return a time that may lie in another year as it is typed: 2026-11-24 10:44."""
    return f"{moment.astimezone(LOCAL):%Y-%m-%d %H:%M}"


def _plain(typed: str) -> str:
    """Turn full-width characters into ASCII and runs of white space into one space (Unicode form NFKC)."""
    return " ".join(unicodedata.normalize("NFKC", typed).split())
