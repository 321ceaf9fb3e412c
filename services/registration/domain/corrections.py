"""Corrections of a stay: which fields can be corrected, and what the stay is afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from services.registration.domain.arrivals import DocumentEntry, read_guardian
from services.registration.domain.documents import Sex
from services.registration.domain.faults import Fault, Refused, at
from services.registration.domain.persons import Guardian, read_facts, read_name, read_phone
from services.registration.domain.premises import read_room
from services.registration.domain.stays import (
    BASES,
    CITY,
    CLOCK_TOLERANCE,
    LegalBasis,
    Stay,
    check_departure,
    needs_guardian,
)


class CorrectedField(StrEnum):
    """What a correction may change. The premises cannot be: that is another stay."""

    NAME = "name"
    DOCUMENT = "document"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    PHONE = "phone"
    GUARDIAN = "guardian"
    ROOM = "room"
    ARRIVED_AT = "arrived_at"
    EXPECTED_UNTIL = "expected_until"
    DEPARTED_AT = "departed_at"
    LEGAL_BASIS = "legal_basis"


Value: TypeAlias = str | date | datetime | Sex | LegalBasis | DocumentEntry | Guardian | None


@dataclass(frozen=True, slots=True)
class Correction:
    """One field's new value, with the reason for it."""

    field: CorrectedField
    value: Value
    reason: str


@dataclass(frozen=True, slots=True)
class KeptCorrection:
    """A correction as it was made. `before` and `after` are JSON values."""

    field: CorrectedField
    before: Any
    after: Any
    reason: str
    corrected_by: str
    corrected_unit: str
    corrected_at: datetime


def correct(stay: Stay, correction: Correction, now: datetime) -> Stay:
    """Return the stay as it is after the correction. Raises Refused (`/value`, `/value/number`, …).

    A document whose number passes its check also brings its own birth date and sex.
    """
    corrected = RULES[correction.field](stay, correction.value, now)
    if corrected == stay:
        raise Refused(Fault("/value", "unchanged"))
    return corrected


def _name(stay: Stay, value: Value, _now: datetime) -> Stay:
    with at("/value", whole=True):
        return replace(stay, person=replace(stay.person, name=read_name(str(value))))


def _document(stay: Stay, value: Value, now: datetime) -> Stay:
    assert isinstance(value, DocumentEntry)
    with at("/value"):
        document = value.read(_today(now))
    born, sex = document.birth_date or stay.person.birth_date, document.sex or stay.person.sex
    return replace(stay, person=replace(stay.person, document=document, birth_date=born, sex=sex))


def _birth_date(stay: Stay, value: Value, now: datetime) -> Stay:
    assert value is None or isinstance(value, date)
    with at("/value", whole=True):
        born, _sex = read_facts(stay.person.document, value, None, _today(now))
    return replace(stay, person=replace(stay.person, birth_date=born))


def _sex(stay: Stay, value: Value, now: datetime) -> Stay:
    assert value is None or isinstance(value, Sex)
    with at("/value", whole=True):
        _born, sex = read_facts(stay.person.document, None, value, _today(now))
    return replace(stay, person=replace(stay.person, sex=sex))


def _phone(stay: Stay, value: Value, _now: datetime) -> Stay:
    with at("/value", whole=True):
        return replace(stay, person=replace(stay.person, phone=read_phone(str(value)) if value else None))


def _guardian(stay: Stay, value: Value, _now: datetime) -> Stay:
    assert value is None or isinstance(value, Guardian)
    if value is None and needs_guardian(stay.kind, stay.person.birth_date, stay.arrived_at):
        raise Refused(Fault("/value", "guardian-required"))
    with at("/value"):
        return replace(stay, guardian=read_guardian(value) if value else None)


def _room(stay: Stay, value: Value, _now: datetime) -> Stay:
    room = read_room(str(value))
    if not room:
        raise Refused(Fault("/value", "required"))
    return replace(stay, room=room)


def _arrived_at(stay: Stay, value: Value, now: datetime) -> Stay:
    assert isinstance(value, datetime)
    if value > now + CLOCK_TOLERANCE:
        raise Refused(Fault("/value", "in-the-future"))
    if stay.departed_at is not None and value > stay.departed_at:
        raise Refused(Fault("/value", "after-departure"))
    if stay.expected_until is not None and value >= stay.expected_until:
        raise Refused(Fault("/value", "after-expected-until"))
    return replace(stay, arrived_at=value)


def _expected_until(stay: Stay, value: Value, _now: datetime) -> Stay:
    assert value is None or isinstance(value, datetime)
    if value is not None and value <= stay.arrived_at:
        raise Refused(Fault("/value", "before-arrival"))
    return replace(stay, expected_until=value)


def _departed_at(stay: Stay, value: Value, now: datetime) -> Stay:
    assert isinstance(value, datetime)
    if stay.departed_at is None:
        raise Refused(Fault("/value", "not-departed"))
    check_departure(stay.arrived_at, value, now, "/value")
    return replace(stay, departed_at=value)


def _legal_basis(stay: Stay, value: Value, _now: datetime) -> Stay:
    assert isinstance(value, LegalBasis)
    if value not in BASES[stay.kind]:
        raise Refused(Fault("/value", "basis-of-another-kind"))
    return replace(stay, legal_basis=value)


def _today(now: datetime) -> date:
    return now.astimezone(CITY).date()


RULES: Mapping[CorrectedField, Callable[[Stay, Value, datetime], Stay]] = {
    CorrectedField.NAME: _name,
    CorrectedField.DOCUMENT: _document,
    CorrectedField.BIRTH_DATE: _birth_date,
    CorrectedField.SEX: _sex,
    CorrectedField.PHONE: _phone,
    CorrectedField.GUARDIAN: _guardian,
    CorrectedField.ROOM: _room,
    CorrectedField.ARRIVED_AT: _arrived_at,
    CorrectedField.EXPECTED_UNTIL: _expected_until,
    CorrectedField.DEPARTED_AT: _departed_at,
    CorrectedField.LEGAL_BASIS: _legal_basis,
}
