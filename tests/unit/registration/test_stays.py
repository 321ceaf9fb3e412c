"""Arrivals, departures and corrections: what is accepted, and that all faults are told at once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.arrivals import ArrivalEntry, DocumentEntry, PersonEntry, read_arrival
from services.registration.domain.corrections import CorrectedField, Correction, Value, correct
from services.registration.domain.documents import DocumentKind, Sex
from services.registration.domain.faults import Refused
from services.registration.domain.persons import Guardian
from services.registration.domain.stays import (
    AlreadyDeparted,
    LegalBasis,
    Stay,
    StayKind,
    depart,
    receipt_number,
)
from tests.people import People, wrong_check_digit

NOW = datetime(2026, 11, 24, 2, 44, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PEOPLE = People(11)
BORN = date(1990, 2, 13)
NUMBER = PEOPLE.resident_id(BORN, "male")
PLACE = UUID(int=1)


def entry(**changes: Any) -> ArrivalEntry:
    person: dict[str, Any] = {"name": "陈华", "document": DocumentEntry(DocumentKind.RESIDENT_ID, NUMBER)}
    person |= {name: changes.pop(name) for name in list(changes) if name in ("name", "document", "birth_date", "sex")}
    values: dict[str, Any] = {
        "premises_id": PLACE,
        "room": "0806",
        "kind": StayKind.HOTEL_GUEST,
        "arrived_at": NOW,
        "legal_basis": LegalBasis.HOTEL_REGISTER,
    }
    return ArrivalEntry(person=PersonEntry(**person), **{**values, **changes})


def faults(refused: Refused) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.code) for fault in refused.faults}


def refused_arrival(**changes: Any) -> set[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        read_arrival(entry(**changes), NOW)
    return faults(refused.value)


def stay(**changes: Any) -> Stay:
    arrival = read_arrival(entry(), NOW)
    made = Stay(
        stay_id=UUID(int=2),
        person_id=UUID(int=3),
        person=arrival.person,
        guardian=None,
        premises_id=PLACE,
        division_code="330199001001",
        room=arrival.room,
        kind=arrival.kind,
        legal_basis=arrival.legal_basis,
        arrived_at=NOW,
        expected_until=None,
        departed_at=None,
        registered_at=NOW,
        registered_unit="hotel-01",
        receipt_number="2026-0000-0001",
        days_late=0,
    )
    return replace(made, **changes)


def test_the_number_fills_birth_date_and_sex() -> None:
    person = read_arrival(entry(), NOW).person
    assert (person.birth_date, person.sex) == (BORN, Sex.MALE)


def test_everything_wrong_is_told_at_once() -> None:
    assert refused_arrival(
        name=" ",
        document=DocumentEntry(DocumentKind.RESIDENT_ID, "330199900213001"),
        birth_date=date(2030, 1, 1),
        room=" ",
        arrived_at=NOW + 6 * MINUTE,
        expected_until=NOW,
        legal_basis=LegalBasis.WORKER_HOUSING,
        guardian=Guardian(" ", "x", " "),
    ) == {
        ("/person/name", "required"),
        ("/person/document/number", "fifteen-digit-number"),
        ("/person/birth_date", "in-the-future"),
        ("/room", "required"),
        ("/arrived_at", "in-the-future"),
        ("/expected_until", "before-arrival"),
        ("/legal_basis", "basis-of-another-kind"),
        ("/guardian/name", "required"),
        ("/guardian/phone", "phone-malformed"),
        ("/guardian/relation", "required"),
    }


@given(ahead=st.timedeltas(min_value=timedelta(days=-6_000), max_value=timedelta(hours=1)))
def test_an_arrival_may_be_late_but_not_ahead_of_the_clock(ahead: timedelta) -> None:
    if ahead > 5 * MINUTE:
        assert refused_arrival(arrived_at=NOW + ahead) == {("/arrived_at", "in-the-future")}
    else:
        assert read_arrival(entry(arrived_at=NOW + ahead), NOW).arrived_at == NOW + ahead


def test_a_number_that_fails_its_check_stops_nothing_and_keeps_what_was_given() -> None:
    document = DocumentEntry(DocumentKind.RESIDENT_ID, wrong_check_digit(NUMBER))
    person = read_arrival(entry(document=document, birth_date=date(1991, 1, 1), sex=Sex.FEMALE), NOW).person
    assert person.document.to_verify
    assert (person.birth_date, person.sex) == (date(1991, 1, 1), Sex.FEMALE)


def test_a_contradiction_to_the_number_is_refused() -> None:
    assert refused_arrival(birth_date=date(1991, 1, 1), sex=Sex.FEMALE) == {
        ("/person/birth_date", "contradicts-number"),
        ("/person/sex", "contradicts-number"),
    }


def test_a_minor_in_a_hotel_needs_a_guardian_and_elsewhere_not() -> None:
    child = DocumentEntry(DocumentKind.RESIDENT_ID, PEOPLE.resident_id(date(2015, 5, 5)))
    assert refused_arrival(document=child) == {("/guardian", "guardian-required")}
    guardian = Guardian("王芳", "100 1234 5678", "母亲")
    assert read_arrival(entry(document=child, guardian=guardian), NOW).guardian == Guardian(
        "王芳", "10012345678", "母亲"
    )
    at_home = entry(document=child, kind=StayKind.TENANT, legal_basis=LegalBasis.RENTAL_REGISTER)
    assert read_arrival(at_home, NOW).guardian is None


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (StayKind.TENANT, {LegalBasis.RENTAL_REGISTER, LegalBasis.RESIDENCE_REGISTRATION}),
        (StayKind.HOTEL_GUEST, {LegalBasis.HOTEL_REGISTER}),
        (StayKind.DORMITORY, {LegalBasis.WORKER_HOUSING}),
        (StayKind.SITE_WORKER, {LegalBasis.WORKER_HOUSING}),
        (StayKind.HOST_FAMILY, {LegalBasis.RESIDENCE_REGISTRATION}),
        (StayKind.OTHER, {LegalBasis.RESIDENCE_REGISTRATION}),
    ],
)
def test_each_kind_has_its_bases(kind: StayKind, bases: set[LegalBasis]) -> None:
    for basis in LegalBasis:
        if basis in bases:
            read_arrival(entry(kind=kind, legal_basis=basis), NOW)
        else:
            assert refused_arrival(kind=kind, legal_basis=basis) == {("/legal_basis", "basis-of-another-kind")}


def test_a_stay_ends_once_and_not_before_it_began() -> None:
    ended = depart(stay(), NOW + 3 * MINUTE, NOW)
    assert ended.departed_at == NOW + 3 * MINUTE
    with pytest.raises(AlreadyDeparted):
        depart(ended, NOW + 4 * MINUTE, NOW)
    for wrong, code in ((NOW - MINUTE, "before-arrival"), (NOW + 6 * MINUTE, "in-the-future")):
        with pytest.raises(Refused) as refused:
            depart(stay(), wrong, NOW)
        assert faults(refused.value) == {("/departed_at", code)}


def corrected(before: Stay, field: CorrectedField, value: Value) -> Stay:
    return correct(before, Correction(field, value, "读错"), NOW)


def refused_correction(before: Stay, field: CorrectedField, value: Value) -> set[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        corrected(before, field, value)
    return faults(refused.value)


def test_each_field_can_be_corrected() -> None:
    open_stay = stay()
    ended = stay(departed_at=NOW + MINUTE)
    assert corrected(open_stay, CorrectedField.NAME, "陈 大华").person.name == "陈 大华"
    assert corrected(open_stay, CorrectedField.PHONE, "100 1234 5678").person.phone == "10012345678"
    assert corrected(open_stay, CorrectedField.ROOM, "０８０９").room == "0809"
    assert corrected(open_stay, CorrectedField.ARRIVED_AT, NOW - MINUTE).arrived_at == NOW - MINUTE
    assert corrected(open_stay, CorrectedField.EXPECTED_UNTIL, NOW + MINUTE).expected_until == NOW + MINUTE
    assert corrected(ended, CorrectedField.DEPARTED_AT, NOW + 2 * MINUTE).departed_at == NOW + 2 * MINUTE
    guardian = Guardian("王芳", "10012345678", "母亲")
    assert corrected(open_stay, CorrectedField.GUARDIAN, guardian).guardian == guardian
    tenant = stay(kind=StayKind.TENANT, legal_basis=LegalBasis.RENTAL_REGISTER)
    basis = LegalBasis.RESIDENCE_REGISTRATION
    assert corrected(tenant, CorrectedField.LEGAL_BASIS, basis).legal_basis is basis


def test_a_corrected_number_brings_its_own_birth_date_and_sex() -> None:
    other = PEOPLE.resident_id(date(1985, 1, 2), "female")
    after = corrected(stay(), CorrectedField.DOCUMENT, DocumentEntry(DocumentKind.RESIDENT_ID, other))
    assert (after.person.birth_date, after.person.sex) == (date(1985, 1, 2), Sex.FEMALE)
    unread = DocumentEntry(DocumentKind.RESIDENT_ID, wrong_check_digit(other))
    kept = corrected(after, CorrectedField.DOCUMENT, unread)
    assert kept.person.document.to_verify
    assert (kept.person.birth_date, kept.person.sex) == (date(1985, 1, 2), Sex.FEMALE)


def test_a_number_to_verify_leaves_birth_date_and_sex_to_be_corrected() -> None:
    unread = DocumentEntry(DocumentKind.RESIDENT_ID, wrong_check_digit(NUMBER))
    before = corrected(stay(), CorrectedField.DOCUMENT, unread)
    assert corrected(before, CorrectedField.BIRTH_DATE, date(1991, 1, 1)).person.birth_date == date(1991, 1, 1)
    assert corrected(before, CorrectedField.SEX, Sex.FEMALE).person.sex is Sex.FEMALE


@pytest.mark.parametrize(
    ("field", "value", "pointer", "code"),
    [
        (CorrectedField.NAME, "陈华", "/value", "unchanged"),
        (CorrectedField.NAME, "12", "/value", "name-malformed"),
        (CorrectedField.DOCUMENT, DocumentEntry(DocumentKind.RESIDENT_ID, "1"), "/value/number", "number-malformed"),
        (CorrectedField.BIRTH_DATE, date(1991, 1, 1), "/value", "contradicts-number"),
        (CorrectedField.SEX, Sex.FEMALE, "/value", "contradicts-number"),
        (CorrectedField.PHONE, "x", "/value", "phone-malformed"),
        (CorrectedField.GUARDIAN, Guardian("王芳", "x", "母亲"), "/value/phone", "phone-malformed"),
        (CorrectedField.ROOM, " ", "/value", "required"),
        (CorrectedField.ARRIVED_AT, NOW + 6 * MINUTE, "/value", "in-the-future"),
        (CorrectedField.EXPECTED_UNTIL, NOW - MINUTE, "/value", "before-arrival"),
        (CorrectedField.DEPARTED_AT, NOW, "/value", "not-departed"),
        (CorrectedField.LEGAL_BASIS, LegalBasis.WORKER_HOUSING, "/value", "basis-of-another-kind"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(field: CorrectedField, value: Value, pointer: str, code: str) -> None:
    assert refused_correction(stay(), field, value) == {(pointer, code)}


def test_a_minor_keeps_a_guardian() -> None:
    child = replace(stay().person, birth_date=date(2015, 5, 5))
    with_guardian = stay(person=child, guardian=Guardian("王芳", "10012345678", "母亲"))
    assert refused_correction(with_guardian, CorrectedField.GUARDIAN, None) == {("/value", "guardian-required")}


def test_times_stay_in_order() -> None:
    ended = stay(departed_at=NOW + MINUTE, expected_until=NOW + MINUTE)
    assert refused_correction(ended, CorrectedField.ARRIVED_AT, NOW + 2 * MINUTE) == {("/value", "after-departure")}
    assert refused_correction(ended, CorrectedField.DEPARTED_AT, NOW - MINUTE) == {("/value", "before-arrival")}
    planned = stay(expected_until=NOW + MINUTE)
    assert refused_correction(planned, CorrectedField.ARRIVED_AT, NOW + MINUTE) == {("/value", "after-expected-until")}


@pytest.mark.parametrize(
    ("serial", "number"), [(1, "2026-0000-0001"), (104417, "2026-0010-4417"), (1_234_567_890, "2026-123456-7890")]
)
def test_a_receipt_number_can_be_read_out(serial: int, number: str) -> None:
    assert receipt_number(2026, serial) == number
