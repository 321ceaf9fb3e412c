"""What is typed at the desk: dates and times as people write them, and how a form becomes the API's own bodies."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from chassis.web.faults import field_errors
from chassis.web.forms import Form
from chassis.web.i18n import N_, gettext
from chassis.web.moments import read_day, read_end, read_moment
from services.registration.api.models import ArrivalBody, CorrectionBody, DocumentBody
from services.registration.domain.corrections import CorrectedField, Correction
from services.registration.domain.stays import BASES, StayKind

# Who stays n nights leaves at noon: what hotels count by.
NOON = time(12, 0)

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


def read_arrival(form: Form, now: datetime) -> ArrivalBody | None:
    """Return the arrival that was typed, or None with its faults noted in the form."""
    values = {name: form[name] for name in PLAIN}
    kind, _slash, basis = form["stay"].partition("/")
    values |= {"kind": kind, "legal_basis": basis}
    # A present time is given with its seconds: who arrives now does not arrive before somebody who left this minute.
    values["arrived_at"] = _text(form, "arrived_at", lambda typed: read_moment(typed, now), WRONG_MOMENT) or _now(now)
    values["expected_until"] = _text(form, "expected_until", lambda typed: read_end(typed, now, at=NOON), WRONG_END)
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
