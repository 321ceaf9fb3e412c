"""Look-ups, occupants, premises and matching tokens through the API."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries, idempotency_keys
from policy import packs
from services.registration.storage.tables import token_requests
from services.registration.use_cases.forget_premises import forget_premises
from tests.people import wrong_check_digit
from tests.service.registration.conftest import FLAT, HOTEL, PEOPLE, Desk, emitted, now

AUTHOR = {"anju-on-behalf-of": "author-1"}


def ids(answer: Any) -> set[str]:
    """The stays in a list."""
    assert answer.status_code == 200, answer.text
    return {item["stay_id"] for item in answer.json()["items"]}


async def test_a_look_up_finds_open_stays_within_the_area_only(clerk: Desk) -> None:
    person = PEOPLE.person()
    elsewhere = replace(clerk, unit="station-02")
    flat = {"premises_id": str(FLAT.premises_id), "room": "1", "kind": "tenant", "legal_basis": "rental_register"}
    here = (await clerk.arrive(person=person))["stay_id"]
    there = (await elsewhere.arrive(person=person, **flat))["stay_id"]
    body = {"document": person["document"]}
    assert ids(await clerk.post("/stays/lookup", body)) == {here}
    assert ids(await elsewhere.post("/stays/lookup", body)) == {there}
    assert ids(await replace(clerk, unit="city").post("/stays/lookup", body)) == {here, there}
    assert ids(await replace(clerk, role="premises_operator", unit="hotel-01").post("/stays/lookup", body)) == {here}
    assert ids(await replace(clerk, unit="nowhere").post("/stays/lookup", body)) == set()
    typed = {"document": person["document"] | {"number": f" {person['document']['number'].lower()} "}}
    assert ids(await clerk.post("/stays/lookup", typed)) == {here}
    room = {"premises_id": str(HOTEL.premises_id), "room": "0801"}
    assert ids(await clerk.post("/stays/lookup", room)) == {here}
    assert ids(await elsewhere.post("/stays/lookup", room)) == set()
    await clerk.post(f"/stays/{here}/departure", {"departed_at": now().isoformat()})
    assert ids(await clerk.post("/stays/lookup", room)) == ids(await clerk.post("/stays/lookup", body)) == set()


async def test_a_repeated_look_up_shows_the_same_and_keeps_nobodys_name(clerk: Desk, db: Database) -> None:
    person = PEOPLE.person(rare=0) | {"name": "欧阳晓华"}
    stay = (await clerk.arrive(person=person))["stay_id"]
    body, key = {"document": person["document"]}, str(uuid4())
    first = await clerk.post("/stays/lookup", body, key=key)
    await clerk.arrive(person=person, room="0802")
    second = await clerk.post("/stays/lookup", body, key=key)
    assert ids(first) == ids(second) == {stay}
    assert first.json()["items"][0]["person"]["name"] == "欧阳晓华"
    assert person["document"]["number"] not in first.text
    async with db.read() as tx:
        answers = await tx.all(sa.select(idempotency_keys.c.body))
        assert all("欧阳" not in json.dumps(json.loads(row.body), ensure_ascii=False) for row in answers)
        logged = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "look-up"))
        assert len(logged) == 2
        assert {row.detail["stay"] for row in logged} == {stay}


async def test_a_look_up_that_finds_nobody_is_logged_too(clerk: Desk, db: Database) -> None:
    assert ids(await clerk.post("/stays/lookup", {"document": PEOPLE.document()})) == set()
    async with db.read() as tx:
        assert await tx.scalar(sa.select(audit_entries.c.subject)) == "nobody"


BAD_LOOK_UPS: list[Any] = [
    {},
    {"premises_id": str(HOTEL.premises_id)},
    {"room": "0801"},
    {"document": {"kind": "resident_id", "number": "1"}},
    {"document": {"kind": "passport", "number": "E12345678"}},
    {"document": PEOPLE.document(), "premises_id": str(HOTEL.premises_id), "room": "0801"},
    {"name": "陈华"},
    [],
]


async def test_a_look_up_names_a_document_or_a_room(clerk: Desk, subtests: pytest.Subtests) -> None:
    for body in BAD_LOOK_UPS:
        with subtests.test(body=body):
            assert (await clerk.post("/stays/lookup", body)).status_code == 422


async def test_a_look_up_needs_purpose_and_case(clerk: Desk) -> None:
    body = {"document": PEOPLE.document()}
    assert (await replace(clerk, why={}).post("/stays/lookup", body)).status_code == 400
    assert (await replace(clerk, role="manager", unit="city").post("/stays/lookup", body)).status_code == 403


async def test_occupants_are_listed_in_pages_and_each_is_logged(clerk: Desk, db: Database) -> None:
    left = (await clerk.arrive())["stay_id"]
    await clerk.post(f"/stays/{left}/departure", {"departed_at": now().isoformat()})
    stays = [(await clerk.arrive())["stay_id"] for _ in range(3)]
    path = f"/premises/{HOTEL.premises_id}/occupants"
    first = await clerk.get(f"{path}?limit=2")
    assert [item["stay_id"] for item in first.json()["items"]] == stays[:2]
    second = await clerk.get(f"{path}?limit=2&cursor={first.json()['next']}")
    assert [item["stay_id"] for item in second.json()["items"]] == stays[2:]
    assert second.json()["next"] is None
    async with db.read() as tx:
        logged = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "list-occupants"))
        assert [row.detail["stay"] for row in logged] == stays
    assert (await replace(clerk, unit="station-02").get(path)).status_code == 403
    assert (await replace(clerk, why={}).get(path)).status_code == 400
    assert (await clerk.get(f"/premises/{uuid4()}/occupants")).status_code == 404
    for wrong in ("limit=0", "limit=101", "limit=x", "cursor=x"):
        assert (await clerk.get(f"{path}?{wrong}")).status_code == 422


async def test_premises_are_shown_with_their_rooms(clerk: Desk) -> None:
    await clerk.arrive()
    body = (await clerk.get(f"/premises/{HOTEL.premises_id}")).json()
    assert (body["address"], body["status"]) == (HOTEL.address, "open")
    assert body["rooms"][0] == {"number": "0801", "type": "bedroom", "capacity": 2, "free": 1}
    operator = replace(clerk, role="premises_operator", unit="hotel-01")
    assert (await operator.get(f"/premises/{HOTEL.premises_id}")).status_code == 200
    assert (await operator.get(f"/premises/{FLAT.premises_id}")).status_code == 403
    assert (await clerk.get(f"/premises/{uuid4()}")).status_code == 404
    assert (await clerk.get("/premises/no-id")).status_code == 404


SEARCHES: list[tuple[str, str, set[Any]]] = [
    ("station-01", "湖滨路", {HOTEL}),
    ("station-01", "", {HOTEL}),
    ("station-02", "湖滨路", set()),
    ("city", "路", {HOTEL, FLAT}),
    ("city", "100%", {FLAT}),
    ("city", "%", {FLAT}),
    ("city", "_", set()),
    ("city", "\\", set()),
    ("city", "'; DROP TABLE stays; --", set()),
]


async def test_premises_are_found_by_a_part_of_their_address(clerk: Desk, subtests: pytest.Subtests) -> None:
    for unit, address, found in SEARCHES:
        with subtests.test(unit=unit, address=address):
            headers = clerk.provider.headers("clerk", unit)
            answer = await clerk.http.get("/api/v1/premises", params={"address": address}, headers=headers)
            assert answer.status_code == 200
            shown = {item["premises_id"] for item in answer.json()["items"]}
            assert shown == {str(one.premises_id) for one in found}


async def test_found_premises_come_in_pages(clerk: Desk) -> None:
    city = replace(clerk, unit="city")
    first = (await city.get("/premises?limit=1")).json()
    second = (await city.get(f"/premises?limit=1&cursor={first['next']}")).json()
    assert {first["items"][0]["premises_id"], second["items"][0]["premises_id"]} == {
        str(HOTEL.premises_id),
        str(FLAT.premises_id),
    }
    assert (await city.get("/premises?address=%00")).status_code == 422


async def test_premises_that_housing_dropped_are_gone_and_their_stays_can_end(clerk: Desk, db: Database) -> None:
    stay = (await clerk.arrive())["stay_id"]
    async with db.transaction() as tx:
        await forget_premises(tx, [str(HOTEL.premises_id)])
    assert (await clerk.get(f"/premises/{HOTEL.premises_id}")).status_code == 404
    read = (await clerk.get(f"/stays/{stay}")).json()
    assert read["premises"]["address"] is None
    departure = await clerk.post(f"/stays/{stay}/departure", {"departed_at": read["arrived_at"]})
    assert departure.status_code == 200


@pytest.fixture
def alerts(clerk: Desk) -> Desk:
    """The notice desk's own client."""
    return replace(clerk, role="service", unit="", name="alerts", why={})


async def test_the_notice_desk_gets_the_token_that_stays_carry(alerts: Desk, clerk: Desk, db: Database) -> None:
    person = PEOPLE.person()
    person["document"]["valid_until"] = "2030-05-01"
    await clerk.arrive(person=person)
    (event,) = await emitted(db, "registration.stays")
    answer = await alerts.post("/matching-tokens", {"document": person["document"]}, **AUTHOR)
    assert answer.status_code == 200
    assert answer.json() == {**event["token"], "expiry_token": event["expiry_token"]}
    without_date = {"document": {"kind": "resident_id", "number": person["document"]["number"]}}
    assert (await alerts.post("/matching-tokens", without_date, **AUTHOR)).json() == event["token"]
    async with db.read() as tx:
        logged = await tx.all(sa.select(audit_entries))
        assert {(row.actor, row.actor_unit, row.action) for row in logged} == {
            ("author-1", "alerts", "issue-matching-token")
        }
        kept = await tx.all(sa.select(idempotency_keys.c.body))
        assert all(event["token"]["value"].encode() not in row.body for row in kept)


async def test_a_repeated_request_for_a_token_is_not_counted_again(alerts: Desk, db: Database) -> None:
    body, key = {"document": PEOPLE.document()}, str(uuid4())
    answers = [await alerts.post("/matching-tokens", body, key=key, **AUTHOR) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    async with db.read() as tx:
        assert await tx.scalar(sa.select(token_requests.c.given)) == 1
        assert await tx.scalar(sa.select(sa.func.count()).select_from(audit_entries)) == 1


async def test_a_number_that_fails_its_check_gets_no_token(alerts: Desk) -> None:
    document = PEOPLE.document()
    document["number"] = wrong_check_digit(document["number"])
    answer = await alerts.post("/matching-tokens", {"document": document}, **AUTHOR)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/document/number"
    assert answer.json()["errors"][0]["code"] == "number-fails-its-check"


async def test_only_alerts_may_ask_and_names_the_author(alerts: Desk, clerk: Desk) -> None:
    body = {"document": PEOPLE.document()}
    assert (await clerk.post("/matching-tokens", body, **AUTHOR)).status_code == 403
    assert (await replace(alerts, name="housing").post("/matching-tokens", body, **AUTHOR)).status_code == 403
    author = replace(clerk, role="notice_author", unit="notice-desk-01")
    assert (await author.post("/matching-tokens", body, **AUTHOR)).status_code == 403
    answer = await alerts.post("/matching-tokens", body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:anju:problem:on-behalf-of-required")


async def test_an_author_gets_so_many_tokens_an_hour(alerts: Desk, db: Database) -> None:
    body = {"document": PEOPLE.document()}
    assert (await alerts.post("/matching-tokens", body, **AUTHOR)).status_code == 200
    per_hour = packs.load().on(now().date(), "330199").notices.token_requests_per_hour
    assert per_hour >= 1000
    async with db.transaction() as tx:
        await tx.execute(sa.update(token_requests).values(given=per_hour))
    answer = await alerts.post("/matching-tokens", body, **AUTHOR)
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:anju:problem:too-many-tokens")
    assert int(answer.headers["retry-after"]) > 0
    assert (await alerts.post("/matching-tokens", body, **{"anju-on-behalf-of": "author-2"})).status_code == 200
