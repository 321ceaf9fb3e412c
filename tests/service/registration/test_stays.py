"""Departures, corrections and reads of stays through the API."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database
from chassis.data.tables import audit_entries
from services.registration.storage.tables import corrections, stays
from services.registration.use_cases.note_alert import note_alert
from tests.people import wrong_check_digit
from tests.service.registration.conftest import FLAT, KEYRING, PEOPLE, Desk, emitted, now

STAYS, OCCUPANCY = "registration.stays", "registration.occupancy"
CORRECTED = "anju.registration.stay-corrected.v1"


async def test_a_departure_ends_the_stay_and_drops_its_tokens(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    person["document"]["valid_until"] = "2030-05-01"
    stay_id = (await clerk.arrive(person=person))["stay_id"]
    at = now().isoformat()
    answer = await clerk.post(f"/stays/{stay_id}/departure", {"departed_at": at})
    assert answer.status_code == 200
    assert answer.json()["stay_id"] == stay_id
    _arrived, departed = await emitted(db, STAYS)
    assert departed["type"] == "anju.registration.person-departed.v1"
    assert departed["ended_at"] == departed["occurred_at"]
    assert [state["headcount"] for state in await emitted(db, OCCUPANCY)] == [1, 0]
    async with db.read() as tx:
        row = await tx.one_or_none(sa.select(stays))
        assert row is not None
        assert (row.matching_key_id, row.matching_token, row.expiry_token) == (None, None, None)


async def test_departures_that_cannot_be(clerk: Desk) -> None:
    stay_id = (await clerk.arrive(arrived_at=now().isoformat()))["stay_id"]
    path = f"/stays/{stay_id}/departure"

    async def depart(at: Any, desk: Desk = clerk) -> tuple[int, str]:
        answer = await desk.post(path, {"departed_at": at})
        return answer.status_code, answer.json().get("type", "").rpartition(":")[2]

    assert await depart((now() - timedelta(hours=1)).isoformat()) == (422, "invalid")
    assert await depart((now() + timedelta(hours=1)).isoformat()) == (422, "invalid")
    assert await depart("yesterday") == (422, "invalid")
    assert await depart(now().isoformat(), replace(clerk, unit="station-02")) == (403, "forbidden")
    assert await depart(now().isoformat(), replace(clerk, role="duty_officer", unit="command-centre")) == (
        403,
        "forbidden",
    )
    answers = await asyncio.gather(*(depart(now().isoformat()) for _ in range(4)))
    assert sorted(answers) == [(200, ""), *[(409, "already-departed")] * 3]
    for unknown in (str(uuid4()), "no-id"):
        missing = await clerk.post(f"/stays/{unknown}/departure", {"departed_at": now().isoformat()})
        assert missing.status_code == 404


async def correct(desk: Desk, stay_id: str, field: str, value: Any, reason: str = "读错") -> tuple[int, dict[str, Any]]:
    """Send a correction."""
    answer = await desk.post(f"/stays/{stay_id}/corrections", {"field": field, "value": value, "reason": reason})
    body: dict[str, Any] = answer.json()
    return answer.status_code, body


async def test_a_correction_keeps_before_after_by_whom_and_why(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person() | {"name": "陈华"}
    stay_id = (await clerk.arrive(person=person))["stay_id"]
    status, body = await correct(clerk, stay_id, "name", "陈 晓华")
    assert status == 201
    assert (body["stay_id"], body["field"]) == (stay_id, "name")
    read = (await clerk.get(f"/stays/{stay_id}")).json()
    assert read["person"]["name"] == "陈 晓华"
    (kept,) = read["corrections"]
    assert (kept["before"], kept["after"], kept["reason"]) == ("陈华", "陈 晓华", "读错")
    assert (kept["by"], kept["unit"]) == (clerk.subject, "station-01")
    async with db.read() as tx:
        row = await tx.one_or_none(sa.select(corrections))
        assert row is not None
        assert "陈".encode() not in row.before + row.after + row.reason


async def test_another_document_is_another_person_and_another_token(clerk: Desk, db: Database) -> None:
    person, other = PEOPLE.person(), PEOPLE.person()
    stay_id = (await clerk.arrive(person=person))["stay_id"]
    elsewhere = await clerk.arrive(person=other, room="0802")
    status, body = await correct(clerk, stay_id, "document", other["document"])
    assert (status, body["document_to_verify"]) == (201, False)
    first, second, corrected = await emitted(db, STAYS)
    assert corrected["type"] == CORRECTED
    assert corrected["token"] == second["token"] != first["token"]
    assert corrected["recorded_at"] > first["recorded_at"]
    read = (await clerk.get(f"/stays/{stay_id}")).json()
    assert read["person"]["document"]["number"] == other["document"]["number"]
    assert read["person"]["birth_date"] == other["birth_date"]
    assert read["corrections"][0]["before"]["number"] == person["document"]["number"]
    found = await clerk.post("/stays/lookup", {"document": other["document"]})
    assert {item["stay_id"] for item in found.json()["items"]} == {stay_id, elsewhere["stay_id"]}
    assert (await clerk.post("/stays/lookup", {"document": person["document"]})).json()["items"] == []


async def test_a_number_to_verify_loses_its_token_and_gets_one_when_it_is_read_again(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    stay_id = (await clerk.arrive(person=person))["stay_id"]
    unread = person["document"] | {"number": wrong_check_digit(person["document"]["number"])}
    _, body = await correct(clerk, stay_id, "document", unread)
    assert body["document_to_verify"] is True
    _, body = await correct(clerk, stay_id, "document", person["document"])
    assert body["document_to_verify"] is False
    arrived, unreadable, again = await emitted(db, STAYS)
    assert "token" not in unreadable
    assert again["token"] == arrived["token"]


async def test_an_ended_stay_can_be_corrected_and_says_its_end(clerk: Desk, db: Database) -> None:
    stay_id = (await clerk.arrive())["stay_id"]
    await clerk.post(f"/stays/{stay_id}/departure", {"departed_at": now().isoformat()})
    other = PEOPLE.person()
    assert (await correct(clerk, stay_id, "document", other["document"]))[0] == 201
    *_, departed, corrected = await emitted(db, STAYS)
    assert corrected["ended_at"] == departed["ended_at"]
    assert corrected["token"] != departed["token"]
    async with db.read() as tx:
        assert await tx.scalar(sa.select(stays.c.matching_token)) is None


async def test_each_field_can_be_corrected(clerk: Desk, db: Database) -> None:
    arrived = now() - timedelta(days=9)
    flat = {"premises_id": str(FLAT.premises_id), "room": "1", "kind": "tenant", "legal_basis": "rental_register"}
    desk = replace(clerk, unit="station-02")
    passport = {"kind": "passport", "number": "E12345678", "issuing_country": "KOR"}
    person = {"name": "KIM MIN", "document": passport}
    late = await desk.arrive(person=person, arrived_at=arrived.isoformat(), **flat)
    stay_id = late["stay_id"]
    assert late["days_late"] > 0
    values = {
        "arrived_at": now().isoformat(),
        "expected_until": (now() + timedelta(days=30)).isoformat(),
        "birth_date": "1990-02-13",
        "sex": "female",
        "phone": "10012345678",
        "guardian": GUARDIAN,
        "legal_basis": "residence_registration",
        "document": passport | {"valid_until": "2030-05-01"},
    }
    for field, value in values.items():
        assert (await correct(desk, stay_id, field, value))[0] == 201, field
    read = (await desk.get(f"/stays/{stay_id}")).json()
    assert read["person"]["birth_date"] == "1990-02-13"
    assert read["person"]["document"]["valid_until"] == "2030-05-01"
    assert read["legal_basis"] == "residence_registration"
    assert read["days_late"] == 0
    assert [kept["field"] for kept in read["corrections"]] == list(values)
    events = await emitted(db, STAYS)
    assert [event["type"] for event in events[1:]] == [CORRECTED] * len(values)
    assert "expiry_token" in events[-1]
    assert {event["token"]["value"] for event in events} == {events[0]["token"]["value"]}


GUARDIAN = {"name": "王芳", "phone": "10012345678", "relation": "母亲"}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"field": "name", "value": "12", "reason": "x"}, "/value"),
    ({"field": "name", "value": None, "reason": "x"}, "/value"),
    ({"field": "name", "value": "新名", "reason": ""}, "/reason"),
    ({"field": "name", "value": "新名"}, "/reason"),
    ({"field": "hobby", "value": "x", "reason": "x"}, "/field"),
    ({"field": "room", "value": "0896", "reason": "x"}, "/value"),
    ({"field": "document", "value": "330199", "reason": "x"}, "/value"),
    ({"field": "document", "value": {"kind": "resident_id", "number": "1"}, "reason": "x"}, "/value/number"),
    ({"field": "document", "value": {"kind": "resident_id", "no": "1"}, "reason": "x"}, "/value/number"),
    ({"field": "guardian", "value": GUARDIAN | {"phone": "x"}, "reason": "x"}, "/value/phone"),
    ({"field": "arrived_at", "value": "2026-11-24", "reason": "x"}, "/value"),
    ({"field": "departed_at", "value": "2026-11-24T10:00:00Z", "reason": "x"}, "/value"),
    ({"field": "birth_date", "value": "1900-01-01", "reason": "x"}, "/value"),
    ({"field": "sex", "value": "other", "reason": "x"}, "/value"),
]


async def test_a_correction_that_cannot_be_is_422_at_its_field(
    clerk: Desk, db: Database, subtests: pytest.Subtests
) -> None:
    stay_id = (await clerk.arrive())["stay_id"]
    for body, pointer in BAD:
        with subtests.test(body=body):
            answer = await clerk.post(f"/stays/{stay_id}/corrections", body)
            assert answer.status_code == 422
            assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert len(await emitted(db, STAYS)) == 1


async def test_who_may_correct(clerk: Desk) -> None:
    stay_id = (await clerk.arrive())["stay_id"]
    assert (await correct(replace(clerk, unit="station-02"), stay_id, "name", "新名"))[0] == 403
    assert (await correct(replace(clerk, role="manager", unit="city"), stay_id, "name", "新名"))[0] == 403
    assert (await correct(replace(clerk, role="premises_operator", unit="hotel-01"), stay_id, "name", "新名"))[0] == 201
    assert (await correct(clerk, str(uuid4()), "name", "新名"))[0] == 404


async def test_a_read_needs_purpose_and_case_and_is_logged(clerk: Desk, db: Database) -> None:
    stay_id = (await clerk.arrive())["stay_id"]
    path = f"/stays/{stay_id}"
    assert (await clerk.get(path, **{"anju-case": ""})).status_code == 400
    for why in (
        {"purpose": "registration_service"},
        {"purpose": "registration_service", "case": "x" * 65},
        {"case": "A-1"},
    ):
        answer = await replace(clerk, why=why).get(path)
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:anju:problem:purpose-required")
    assert (await replace(clerk, why={"purpose": "notice_verification", "case": "A-1"}).get(path)).status_code == 403
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(audit_entries)) == 0
    assert (await clerk.get(path)).status_code == 200
    async with db.read() as tx:
        row = await tx.one_or_none(sa.select(audit_entries))
        assert row is not None
        person = await tx.scalar(sa.select(stays.c.person_id))
    assert (row.actor, row.actor_unit, row.action) == (clerk.subject, "station-01", "read-stay")
    assert (row.purpose, row.case, row.subject) == ("registration_service", "A-1", str(person))
    assert (await audit.verify(db, KEYRING)).first_bad is None


async def test_unknown_stays_are_404(clerk: Desk) -> None:
    assert (await clerk.get(f"/stays/{uuid4()}")).status_code == 404
    assert (await clerk.get("/stays/no-id")).status_code == 404


async def test_an_officer_reads_the_stay_of_an_alert_and_no_other(
    clerk: Desk, db: Database, subtests: pytest.Subtests
) -> None:
    person = PEOPLE.person() | {"phone": "10012345678"}
    stay_id = (await clerk.arrive(person=person))["stay_id"]
    other_id = (await clerk.arrive())["stay_id"]
    alert_id = uuid4()
    why = {"purpose": "notice_verification", "case": str(alert_id)}
    officer = replace(clerk, role="duty_officer", unit="command-centre", why=why)
    assert (await officer.get(f"/stays/{stay_id}")).status_code == 403
    states = {"new": 200, "acknowledged": 200, "verified": 200, "closed": 200, "retracted": 403, "cleared": 403}
    for state, status in states.items():
        with subtests.test(state=state):
            async with db.transaction() as tx:
                await note_alert(tx, alert_id=alert_id, stay_id=UUID(stay_id), state=state, changed_at=now())
            answer = await officer.get(f"/stays/{stay_id}")
            assert answer.status_code == status
            assert (await officer.get(f"/stays/{other_id}")).status_code == 403
            assert (await officer.get(f"/stays/{uuid4()}")).status_code == 403
            assert (await replace(officer, why=why | {"case": "A-1"}).get(f"/stays/{stay_id}")).status_code == 403
            if status == 200:
                body = answer.json()
                assert (body["person"]["name"], body["room"]) == (person["name"], "0801")
                assert body["premises"]["address"]
                assert "phone" not in body["person"]
                assert "corrections" not in body
