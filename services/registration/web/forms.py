"""What is typed at the desk: dates and times as people write them, and how a form becomes the API's own bodies."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from chassis.web.faults import field_errors
from chassis.web.forms import LOCAL, Form
from chassis.web.i18n import N_, gettext
from services.registration.api.models import ArrivalBody, CorrectionBody, DocumentBody
from services.registration.domain.corrections import CorrectedField, Correction
from services.registration.domain.stays import BASES, StayKind
from services.registration.domain.texts import half_width, single_spaced

DAY = re.compile(r"(?P<year>[0-9]{4})[-./]?(?P<month>[0-9]{2})[-./]?(?P<day>[0-9]{2})")
MOMENT = re.compile(
    r"(?:(?:(?P<year>[0-9]{4})[-./])?(?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})\s+)?"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
)
IN_DAYS = re.compile(r"\+(?P<days>[0-9]{1,3})")
# Who stays n nights leaves at noon: what hotels count by.
NOON = time(12, 0)
HALF_A_YEAR = timedelta(days=183)

WRONG_DAY = N_("Write the date as 8 digits, such as 19900213.")
WRONG_MOMENT = N_("Write the time as 11-24 10:44.")
WRONG_END = N_("Write the time as 11-26 12:00, or the nights as +2.")

# The choices of "kind of stay": each kind with each of its legal bases.
STAY_CHOICES = tuple(f"{kind}/{basis}" for kind in StayKind for basis in BASES[kind])
PLAIN = (
    "person.name",
    "person.document.kind",
    "person.document.number",
    "person.document.issuing_country",
    "person.sex",
    "person.phone",
    "premises_id",
    "room",
    "guardian.name",
    "guardian.phone",
    "guardian.relation",
)


def read_day(typed: str) -> date:
    """Return a date written as 19900213 or 1990-02-13. Raises ValueError."""
    found = DAY.fullmatch(half_width(typed).strip())
    if found is None:
        raise ValueError("no date")
    return date(int(found["year"]), int(found["month"]), int(found["day"]))


def read_moment(typed: str, now: datetime) -> datetime:
    """Return a time of the city written as 10:44, 11-24 10:44 or 2026-11-24 10:44. Raises ValueError.

    Without a year it is the one that brings the time nearest to `now`; without a day it is today.
    """
    found = MOMENT.fullmatch(single_spaced(half_width(typed)).replace("T", " "))
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


def read_end(typed: str, now: datetime) -> datetime:
    """Return an expected end: a time, or +2 for noon in two days. Raises ValueError."""
    nights = IN_DAYS.fullmatch(half_width(typed).strip())
    if nights is None:
        return read_moment(typed, now)
    day = now.astimezone(LOCAL).date() + timedelta(days=int(nights["days"]))
    return datetime.combine(day, NOON, LOCAL)


def show_moment(moment: datetime) -> str:
    """Return a time as it is typed: 11-24 10:44."""
    return f"{moment.astimezone(LOCAL):%m-%d %H:%M}"


def read_arrival(form: Form, now: datetime) -> ArrivalBody | None:
    """Return the arrival that was typed, or None with its faults noted in the form."""
    values = {name: form[name] for name in PLAIN}
    kind, _slash, basis = form["stay"].partition("/")
    values |= {"kind": kind, "legal_basis": basis}
    # A present time is given with its seconds: who arrives now does not arrive before somebody who left this minute.
    values["arrived_at"] = _text(form, "arrived_at", lambda typed: read_moment(typed, now), WRONG_MOMENT) or _now(now)
    values["expected_until"] = _text(form, "expected_until", lambda typed: read_end(typed, now), WRONG_END)
    for name in ("person.birth_date", "person.document.valid_until"):
        values[name] = _text(form, name, read_day, WRONG_DAY)
    typed = Form(values)
    body = typed.validate(ArrivalBody)
    form.errors = typed.errors | form.errors
    return None if form.errors else body


def read_document(form: Form) -> DocumentBody | None:
    """Return the document that was typed, or None with its faults noted in the form."""
    names = ("kind", "number", "issuing_country")
    typed = Form({name: form[f"person.document.{name}"] for name in names})
    body = typed.validate(DocumentBody)
    form.errors |= {f"person.document.{name}": message for name, message in typed.errors.items()}
    return body


def read_correction(form: Form, now: datetime) -> Correction | None:
    """Return the correction that was typed, or None with its faults noted in the form."""
    name = form["field"]
    value = _corrected_value(form, CorrectedField(name), now) if name in set(CorrectedField) else None
    if form.errors:
        return None
    try:
        body = CorrectionBody.model_validate({"field": name, "value": value, "reason": form["reason"].strip()})
        return body.correction()
    except ValidationError as error:
        form.add(field_errors([{**each, "loc": ("form", *each["loc"])} for each in error.errors()]))
    except RequestValidationError as error:
        form.add(field_errors(error.errors()))
    return None


def _corrected_value(form: Form, field: CorrectedField, now: datetime) -> Any:
    typed = form["value"].strip()
    readers: Mapping[CorrectedField, tuple[Callable[[str], date | datetime], str]] = {
        CorrectedField.BIRTH_DATE: (read_day, WRONG_DAY),
        CorrectedField.ARRIVED_AT: (lambda text: read_moment(text, now), WRONG_MOMENT),
        CorrectedField.DEPARTED_AT: (lambda text: read_moment(text, now), WRONG_MOMENT),
        CorrectedField.EXPECTED_UNTIL: (lambda text: read_end(text, now), WRONG_END),
    }
    if field in readers:
        return _text(form, "value", *readers[field]) or None
    if field is CorrectedField.DOCUMENT:
        until = _text(form, "value.valid_until", read_day, WRONG_DAY)
        parts = {name: form[f"value.{name}"].strip() for name in ("kind", "number", "issuing_country")}
        return {name: part for name, part in {**parts, "valid_until": until}.items() if part}
    if field is CorrectedField.GUARDIAN:
        return {name: form[f"value.{name}"] for name in ("name", "phone", "relation")}
    if field in (CorrectedField.NAME, CorrectedField.ROOM):
        return typed
    return typed or None


def _text(form: Form, name: str, read: Callable[[str], date | datetime], wrong: str) -> str:
    """Return a typed date or time as the API takes it; an empty text where nothing, or nothing readable, was typed."""
    if not form[name].strip():
        return ""
    try:
        return read(form[name]).isoformat()
    except ValueError:
        form.errors[name] = gettext(wrong)
        return ""


def _now(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
