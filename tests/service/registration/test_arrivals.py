"""Arrivals through the API on a real database: what is answered, kept, published, and refused."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from services.registration.storage.tables import occupancy, persons, stays
from tests.people import wrong_check_digit
from tests.service.registration.conftest import FLAT, HOTEL, PEOPLE, Desk, arrival, emitted, now

STAYS, OCCUPANCY = "registration.stays", "registration.occupancy"


async def test_an_arrival_is_answered_kept_and_published(clerk: Desk, db: Database) -> None:
    before = now()
    person = PEOPLE.person() | {"phone": "100 1234 5678"}
    until = (now() + timedelta(days=2)).isoformat()
    answer = await clerk.post("/arrivals", arrival(person=person, expected_until=until))
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"stay_id", "receipt_number", "days_late", "document_to_verify"}
    assert body["receipt_number"].startswith(f"{before.year}-")
    assert (body["days_late"], body["document_to_verify"]) == (0, False)

    (event,) = await emitted(db, STAYS)
    assert event["type"] == "anju.registration.person-arrived.v1"
    assert event["key"] == event["stay_id"] == body["stay_id"]
    assert (event["premises_id"], event["room"], event["kind"]) == (str(HOTEL.premises_id), "0801", "hotel_guest")
    assert event["division_code"] == HOTEL.division_code
    assert event["token"]["key_id"] == "m1"
    assert "ended_at" not in event
    assert "expiry_token" not in event
    assert before - timedelta(seconds=2) <= datetime.fromisoformat(event["recorded_at"]) <= now() + timedelta(seconds=2)

    (headcount,) = await emitted(db, OCCUPANCY)
    assert (headcount["premises_id"], headcount["headcount"]) == (str(HOTEL.premises_id), 1)
    assert headcount["version"].endswith(".1")


async def test_no_name_number_or_phone_stands_readable_anywhere(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person(rare=0) | {"phone": "10012345678"}
    await clerk.arrive(person=person)
    async with db.read() as tx:
        tables = await tx.all(sa.text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
        for (table,) in tables:
            content = str(await tx.all(sa.text(f'SELECT row_to_json(t)::text FROM "{table}" t')))
            for secret in (person["name"], person["document"]["number"], "10012345678", person["birth_date"]):
                assert secret not in content, table
                assert secret.encode().hex() not in content, table


async def test_a_repeat_with_the_same_key_gives_the_first_answer_and_does_nothing(clerk: Desk, db: Database) -> None:
    body, key = arrival(), str(uuid4())
    answers = await asyncio.gather(*(clerk.post("/arrivals", body, key=key) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await emitted(db, STAYS)) == 1
    assert (await clerk.post("/arrivals", arrival(), key=key)).json()["type"].endswith(":idempotency-key-reused")


async def test_without_a_key_400(clerk: Desk) -> None:
    answer = await clerk.post("/arrivals", arrival(), **{"idempotency-key": ""})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:anju:problem:idempotency-key-required")


WHO = [
    ("clerk", "station-01", 201),
    ("clerk", "city", 201),
    ("clerk", "committee-01", 201),
    ("inspector", "station-01", 201),
    ("premises_operator", "hotel-01", 201),
    ("clerk", "station-02", 403),
    ("clerk", "hotel-01", 403),
    ("clerk", "nowhere", 403),
    ("premises_operator", "station-01", 403),
    ("duty_officer", "command-centre", 403),
    ("notice_author", "notice-desk-01", 403),
    ("overseer", "oversight", 403),
    ("administrator", "city", 403),
    ("service", "", 403),
]


async def test_who_may_register_where(clerk: Desk, subtests: pytest.Subtests) -> None:
    for role, unit, status in WHO:
        with subtests.test(role=role, unit=unit):
            answer = await replace(clerk, role=role, unit=unit, name="somebody").post("/arrivals", arrival())
            assert answer.status_code == status


async def test_without_a_token_401(clerk: Desk) -> None:
    answer = await clerk.http.post("/api/v1/arrivals", json=arrival(), headers={"idempotency-key": "k"})
    assert answer.status_code == 401


async def test_a_number_that_fails_its_check_is_registered_and_matches_nothing(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    person["document"]["number"] = wrong_check_digit(person["document"]["number"])
    first = await clerk.arrive(person=person | {"birth_date": "1980-01-01", "sex": "female"})
    second = await clerk.arrive(person=person)
    assert first["document_to_verify"] is second["document_to_verify"] is True
    assert all("token" not in event for event in await emitted(db, STAYS))
    read = (await clerk.get(f"/stays/{first['stay_id']}")).json()
    assert (read["person"]["birth_date"], read["person"]["sex"]) == ("1980-01-01", "female")
    async with db.read() as tx:
        assert len({row.person_id for row in await tx.all(sa.select(persons.c.person_id))}) == 2


async def test_one_document_is_one_person_and_a_second_hotel_learns_nothing(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person(rare=0)
    first = await clerk.arrive(person=person | {"name": "陈华", "phone": "10011112222"})
    elsewhere = replace(clerk, unit="station-02")
    flat = {"premises_id": str(FLAT.premises_id), "room": "1", "kind": "tenant", "legal_basis": "rental_register"}
    second = await elsewhere.arrive(person=person | {"name": "陈晓华"}, **flat)
    async with db.read() as tx:
        rows = await tx.all(sa.select(stays.c.person_id, stays.c.departed_at))
        assert len(rows) == 2
        assert len({row.person_id for row in rows}) == 1
        assert all(row.departed_at is None for row in rows)
    here = (await clerk.get(f"/stays/{first['stay_id']}")).json()
    there = (await elsewhere.get(f"/stays/{second['stay_id']}")).json()
    assert (here["person"]["name"], here["person"]["phone"]) == ("陈华", "10011112222")
    assert (there["person"]["name"], there["person"]["phone"]) == ("陈晓华", None)
    assert (await elsewhere.get(f"/stays/{first['stay_id']}")).status_code == 403


async def test_the_same_person_at_once_at_two_places_is_still_one_person(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    await asyncio.gather(*(clerk.arrive(person=person) for _ in range(6)))
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(persons)) == 1


async def test_a_full_room_refuses_nobody_and_versions_count_up(clerk: Desk, db: Database) -> None:
    await asyncio.gather(*(clerk.arrive(room="0802") for _ in range(8)))
    states = await emitted(db, OCCUPANCY)
    assert [state["headcount"] for state in states] == list(range(1, 9))
    assert [int(state["version"].split(".")[1]) for state in states] == list(range(1, 9))
    rooms = (await clerk.get(f"/premises/{HOTEL.premises_id}")).json()["rooms"]
    assert {room["number"]: room["free"] for room in rooms} == {"0801": 2, "0802": 0, "B1": 0}
    async with db.read() as tx:
        assert (
            await tx.scalar(sa.select(occupancy.c.headcount).where(occupancy.c.premises_id == HOTEL.premises_id)) == 8
        )


async def test_late_is_marked_with_its_days_and_never_refused(clerk: Desk) -> None:
    two_days_ago = (now() - timedelta(days=3)).isoformat()
    assert (await clerk.arrive(arrived_at=two_days_ago))["days_late"] >= 2
    long_ago = "1990-06-01T08:00:00+08:00"
    flat = {"room": "0801", "kind": "tenant", "legal_basis": "residence_registration"}
    assert (await clerk.arrive(arrived_at=long_ago, **flat))["days_late"] > 10_000


async def test_an_expiry_date_gives_a_second_token(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    person["document"]["valid_until"] = "2030-05-01"
    await clerk.arrive(person=person)
    (event,) = await emitted(db, STAYS)
    assert event["expiry_token"]["key_id"] == "m1"
    assert event["expiry_token"]["value"] != event["token"]["value"]


BAD: list[tuple[Any, str, str]] = [
    (None, "/person/name", "not-a-text"),
    ("", "/person/name", "required"),
    ("\u0000", "/person/name", "unprintable-character"),
    ("陈" * 401, "/person/name", "too-long"),
    ("330199900213001", "/person/document/number", "fifteen-digit-number"),
    (330199, "/person/document/number", "not-a-text"),
    ("driving_licence", "/person/document/kind", "not-a-choice"),
    ("KOR", "/person/document/issuing_country", "issuing-country-not-chn"),
    ("2030-02-30", "/person/document/valid_until", "not-a-date"),
    ("1900-01-01", "/person/birth_date", "contradicts-number"),
    ("x", "/person/sex", "not-a-choice"),
    ("x", "/person/phone", "phone-malformed"),
    ("not-an-id", "/premises_id", "not-an-id"),
    (str(uuid4()), "/premises_id", "unknown-premises"),
    ("0896", "/room", "unknown-room"),
    (" ", "/room", "required"),
    ("guest", "/kind", "not-a-choice"),
    ("worker_housing", "/legal_basis", "basis-of-another-kind"),
    ((now() + timedelta(minutes=30)).isoformat(), "/arrived_at", "in-the-future"),
    ("2026-11-24T10:00:00", "/arrived_at", "offset-missing"),
    ("0001-01-01T00:00:00+14:00", "/arrived_at", "not-a-year"),
    (1764000000, "/arrived_at", "not-a-time"),
    ("9999-12-31T23:59:59-12:00", "/expected_until", "not-a-year"),
    ("2020-01-01T00:00:00Z", "/expected_until", "before-arrival"),
    ("hobby", "/hobby", "unknown-field"),
    ({"name": "王芳", "phone": "x", "relation": "母亲"}, "/guardian/phone", "phone-malformed"),
]


async def test_bad_input_is_422_at_its_field(clerk: Desk, db: Database, subtests: pytest.Subtests) -> None:
    for value, path, code in BAD:
        with subtests.test(path=path, code=code):
            answer = await clerk.post("/arrivals", with_field(path, value))
            assert answer.status_code == 422, answer.text
            errors = answer.json()["errors"]
            assert (path, code) in {(error["pointer"], error["code"]) for error in errors}
            assert all(error["message"] for error in errors)
    assert await emitted(db, STAYS) == []
    assert await emitted(db, OCCUPANCY) == []


def with_field(path: str, value: Any) -> dict[str, Any]:
    """An arrival with one field set to something else."""
    body = arrival()
    *parents, last = path.strip("/").split("/")
    place = body
    for step in parents:
        place = place.setdefault(step, {})
    if parents == ["guardian"]:
        body["guardian"] = value
    else:
        place[last] = value
    return body


async def test_two_faults_are_types_of_their_own(clerk: Desk) -> None:
    for change, code in (({"premises_id": str(uuid4())}, "unknown-premises"), ({"room": "0896"}, "unknown-room")):
        problem = (await clerk.post("/arrivals", arrival(**change))).json()
        assert problem["type"] == f"urn:anju:problem:{code}"


async def test_all_faults_come_at_once_in_the_readers_language(clerk: Desk) -> None:
    body = arrival(room="0896", legal_basis="worker_housing", person=PEOPLE.minor() | {"name": "1"})
    english = (await clerk.post("/arrivals", body, **{"accept-language": "en"})).json()
    chinese = (await clerk.post("/arrivals", body)).json()
    pointers = {"/room", "/legal_basis", "/person/name", "/guardian"}
    assert {error["pointer"] for error in english["errors"]} == pointers
    assert english["title"].isascii()
    assert not chinese["title"].isascii()


async def test_a_minor_in_a_hotel_needs_a_guardian(clerk: Desk) -> None:
    child = PEOPLE.minor()
    refused = await clerk.post("/arrivals", arrival(person=child))
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [
        ("/guardian", "guardian-required")
    ]
    stay = await clerk.arrive(person=child, guardian=PEOPLE.guardian())
    assert (await clerk.get(f"/stays/{stay['stay_id']}")).json()["guardian"]["relation"] == "parent"
