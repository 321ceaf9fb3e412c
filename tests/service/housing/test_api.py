"""Housing's API: what is taken, what is refused and how, who may do what."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.events.tables import outbox
from chassis.run.service import WebParts
from services.housing.domain.headcounts import Headcount
from services.housing.storage import headcounts
from services.housing.storage.tables import premises
from tests.service.housing.app import ORIGIN, end, headers, make
from tests.unit.chassis_web.demo import FakeProvider

pytestmark = pytest.mark.postgres

BODY: dict[str, Any] = {
    "kind": "rental",
    "name": "青年公寓 2 幢",
    "address": "柳堤街道青年路 26 号 2 幢",
    "division_code": "330199001002",
    "latitude": 30.25,
    "longitude": 120.17,
    "rooms": [
        {"number": "101", "type": "bedroom", "area_m2": 12.5},
        {"number": "102", "type": "kitchen", "area_m2": 8},
    ],
    "operator": {"kind": "person", "name": "陈晓敏", "phone": "138 0000 0000"},
}

Headers = Callable[..., dict[str, str]]


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def parts(db: Database, provider: FakeProvider) -> WebParts:
    return make(db._url, provider)


@pytest.fixture
async def client(parts: WebParts) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=parts.app), base_url=ORIGIN) as made:
        yield made
    await end(parts)


@pytest.fixture
def inspector(provider: FakeProvider) -> Headers:
    return lambda **more: headers(provider, "inspector", "station-01", **more)


def put(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return `body` with the value at a dotted path changed; ... takes it away."""
    changed: dict[str, Any] = {**body}
    first, _, rest = path.partition(".")
    if rest:
        inner = changed[first]
        if isinstance(inner, list):
            at, _, field = rest.partition(".")
            changed[first] = [put(each, field, value) if n == int(at) else each for n, each in enumerate(inner)]
        else:
            changed[first] = put(inner, rest, value)
    elif value is ...:
        del changed[first]
    else:
        changed[first] = value
    return changed


async def register(client: httpx.AsyncClient, with_headers: dict[str, str], body: dict[str, Any] = BODY) -> str:
    made = await client.post("/api/v1/premises", json=body, headers=with_headers)
    assert made.status_code == 201, made.text
    return str(made.json()["premises_id"])


async def test_registered_premises_are_read_back_without_the_person(
    client: httpx.AsyncClient, inspector: Headers
) -> None:
    made = await client.post("/api/v1/premises", json=BODY, headers=inspector())
    assert made.status_code == 201
    assert made.json()["capacity"] == 3
    assert UUID(made.json()["premises_id"]).version == 7
    found = await client.get(f"/api/v1/premises/{made.json()['premises_id']}", headers=inspector())
    assert found.status_code == 200
    answer = found.json()
    assert (answer["capacity"], answer["headcount"], answer["status"]) == (3, 0, "open")
    assert answer["rooms"][1] == {"number": "102", "type": "kitchen", "area_m2": 8.0, "capacity": 0}
    assert answer["operator"] == {"kind": "person", "name": None}
    assert "陈晓敏" not in found.text
    assert "1380" not in found.text


async def test_the_headcount_is_the_one_that_registration_published(
    client: httpx.AsyncClient, inspector: Headers, db: Database
) -> None:
    premises_id = await register(client, inspector())
    async with db.transaction() as tx:
        await headcounts.put(tx, [Headcount(UUID(premises_id), 4, (1, 1))])
    found = await client.get(f"/api/v1/premises/{premises_id}", headers=inspector())
    assert found.json()["headcount"] == 4


# Path into the body, what stands there (... takes it away), and the field that is named.
REFUSED = [
    ("kind", "castle", "/kind"),
    ("kind", ..., "/kind"),
    ("name", "", "/name"),
    ("name", "　", "/name"),
    ("name", 5, "/name"),
    ("name", "x" * 101, "/name"),
    ("address", " ", "/address"),
    ("division_code", "33019", "/division_code"),
    ("division_code", "3301990010021", "/division_code"),
    ("division_code", "33019900x", "/division_code"),
    ("division_code", 330199001, "/division_code"),
    ("latitude", 90.01, "/latitude"),
    ("latitude", "30.25", "/latitude"),
    ("latitude", None, "/latitude"),
    ("longitude", -180.01, "/longitude"),
    ("longitude", True, "/longitude"),
    ("one_household", "yes", "/one_household"),
    ("operator_unit", "hotel-99", "/operator_unit"),
    ("operator_unit", "Hotel 1", "/operator_unit"),
    ("rooms", ..., "/rooms"),
    ("rooms", {}, "/rooms"),
    ("rooms.0.number", "", "/rooms/0/number"),
    ("rooms.0.number", " ", "/rooms/0/number"),
    ("rooms.1.number", "１０１", "/rooms/1/number"),
    ("rooms.0.type", "attic", "/rooms/0/type"),
    ("rooms.1.area_m2", 0, "/rooms/1/area_m2"),
    ("rooms.1.area_m2", -1.5, "/rooms/1/area_m2"),
    ("rooms.1.area_m2", "12", "/rooms/1/area_m2"),
    ("rooms.1.area_m2", 1e300, "/rooms/1/area_m2"),
    ("rooms.1.colour", "red", "/rooms/1/colour"),
    ("operator", ..., "/operator"),
    ("operator.kind", "landlord", "/operator/kind"),
    ("operator.name", "", "/operator/name"),
    ("operator.phone", "call me", "/operator/phone"),
    ("operator.phone", ..., "/operator/phone"),
    ("grade", "key", "/grade"),
]


async def test_what_cannot_be_is_refused_at_its_field(
    client: httpx.AsyncClient, inspector: Headers, db: Database
) -> None:
    for path, value, pointer in REFUSED:
        answer = await client.post("/api/v1/premises", json=put(BODY, path, value), headers=inspector())
        assert answer.status_code == 422, (path, value, answer.text)
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer], (path, value)
        assert all(error["code"] and error["message"] for error in answer.json()["errors"])
        assert not isinstance(value, str) or len(value) < 4 or value not in answer.text
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(premises)) == 0


async def test_every_wrong_field_is_told_at_once(client: httpx.AsyncClient, inspector: Headers) -> None:
    body = put(put(put(BODY, "kind", "castle"), "latitude", 91), "rooms.0.area_m2", 0)
    answer = await client.post("/api/v1/premises", json=body, headers=inspector())
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/kind", "/latitude", "/rooms/0/area_m2"}


async def test_messages_are_in_the_readers_language(client: httpx.AsyncClient, inspector: Headers) -> None:
    body = put(BODY, "rooms.1.number", "101")
    chinese = await client.post("/api/v1/premises", json=body, headers=inspector())
    english = await client.post("/api/v1/premises", json=body, headers=inspector(**{"accept-language": "en"}))
    assert chinese.json()["errors"][0]["message"] == "这个房号写了两遍。"
    assert english.json()["errors"][0]["message"] == "This room number stands there twice."


async def test_another_stations_division_is_forbidden(client: httpx.AsyncClient, inspector: Headers) -> None:
    answer = await client.post("/api/v1/premises", json=put(BODY, "division_code", "330199002"), headers=inspector())
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:anju:problem:forbidden")


async def test_only_inspectors_register(client: httpx.AsyncClient, provider: FakeProvider) -> None:
    for role in ("clerk", "premises_operator", "duty_officer", "manager", "resident", "administrator"):
        answer = await client.post("/api/v1/premises", json=BODY, headers=headers(provider, role, "station-01"))
        assert answer.status_code == 403, role


async def test_who_may_read(client: httpx.AsyncClient, provider: FakeProvider, inspector: Headers) -> None:
    theirs = await register(client, inspector(), put(BODY, "operator_unit", "hotel-01"))
    other = await register(client, inspector())

    async def status(role: str, unit: str, premises_id: str) -> int:
        return (await client.get(f"/api/v1/premises/{premises_id}", headers=headers(provider, role, unit))).status_code

    assert await status("premises_operator", "hotel-01", theirs) == 200
    assert await status("premises_operator", "hotel-01", other) == 403
    assert await status("inspector", "station-02", other) == 403
    assert await status("clerk", "station-01", other) == 403
    assert await status("inspector", "nowhere", other) == 403
    assert await status("inspector", "station-01", str(uuid4())) == 404
    assert await status("inspector", "station-01", "not-an-id") == 404
    assert (await client.get(f"/api/v1/premises/{other}")).status_code == 401


async def test_a_repeat_registers_nothing_more(client: httpx.AsyncClient, inspector: Headers, db: Database) -> None:
    same = inspector()
    answers = await asyncio.gather(*(client.post("/api/v1/premises", json=BODY, headers=same) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["premises_id"] for answer in answers}) == 1
    changed = await client.post("/api/v1/premises", json=put(BODY, "name", "另一处"), headers=same)
    assert (changed.status_code, changed.json()["type"]) == (422, "urn:anju:problem:idempotency-key-reused")
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(premises)) == 1
        # One state and one event.
        assert await tx.scalar(sa.select(sa.func.count()).select_from(outbox)) == 2


async def test_a_post_without_a_key_is_refused(client: httpx.AsyncClient, inspector: Headers) -> None:
    without = {name: value for name, value in inspector().items() if name != "idempotency-key"}
    answer = await client.post("/api/v1/premises", json=BODY, headers=without)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:anju:problem:idempotency-key-required")


async def test_three_thousand_rooms_are_registered_and_one_more_is_not(
    client: httpx.AsyncClient, inspector: Headers
) -> None:
    rooms = [{"number": f"{n:05d}", "type": "bedroom", "area_m2": 12.0} for n in range(3001)]
    assert (
        await client.post("/api/v1/premises", json=put(BODY, "rooms", rooms), headers=inspector())
    ).status_code == 422
    made = await client.post("/api/v1/premises", json=put(BODY, "rooms", rooms[:3000]), headers=inspector())
    assert (made.status_code, made.json()["capacity"]) == (201, 9000)


async def test_ready_says_that_no_unit_is_known(client: httpx.AsyncClient, db: Database) -> None:
    assert (await client.get("/health/ready")).status_code == 200
    async with db.transaction() as tx:
        await tx.execute(sa.text("DELETE FROM units"))
    await asyncio.sleep(0.6)  # health is looked at anew after half a second
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert "units" in answer.json()["reasons"][0]
