"""Inspections, hazards, letters, closures and stubs over the API: answers, refusals, events and states."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.events.records import BadRecord, Record
from chassis.events.tables import outbox
from chassis.run.service import WebParts
from contracts import envelope, topics
from contracts.housing import PremisesKind
from contracts.registration import PremisesStubbedV1
from services.housing.consumers import take_stub
from services.housing.domain.headcounts import Headcount
from services.housing.domain.letters import TEXT_SHA256
from services.housing.storage import headcounts
from tests.service.housing.app import ORIGIN, end, headers, make
from tests.service.housing.conftest import NOW, Register
from tests.service.housing.test_api import BODY
from tests.service.travel import database_clock
from tests.unit.chassis_web.demo import FakeProvider

pytestmark = pytest.mark.postgres

Post = Callable[..., Any]


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def client(db: Database, provider: FakeProvider) -> AsyncIterator[httpx.AsyncClient]:
    parts: WebParts = make(db._url, provider)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=parts.app), base_url=ORIGIN) as made:
        yield made
    await end(parts)


@pytest.fixture
def post(client: httpx.AsyncClient, provider: FakeProvider) -> Post:
    """Posts as the station's inspector, or as somebody else."""

    async def send(path: str, body: Any, role: str = "inspector", unit: str = "station-01") -> httpx.Response:
        return await client.post(f"/api/v1{path}", json=body, headers=headers(provider, role, unit))

    return send


@pytest.fixture
async def hotel(register: Register) -> str:
    return str((await register()).premises_id)


def inspection(*items: dict[str, Any], **changed: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=1)
    body = {"checklist_version": "1", "entry_basis": "consent", "outcome": "done", "inspected_at": at.isoformat()}
    return {**body, "items": list(items), **changed}


BLOCKED = {"item": "fire_exits", "result": "fail", "note": "2 层东侧走道停放电动自行车"}
FREE = {"item": "fire_exits", "result": "pass"}


async def sent(db: Database) -> list[tuple[str, dict[str, Any]]]:
    """Return what is in the outbox after the registration: type (without its ends) and value."""
    async with db.read() as tx:
        rows = await tx.all(sa.select(outbox.c.type, outbox.c.value).order_by(outbox.c.id).offset(2))
    return [(row.type.removeprefix("anju.housing.").removesuffix(".v1"), orjson.loads(row.value)) for row in rows]


async def read(client: httpx.AsyncClient, provider: FakeProvider, premises_id: str) -> dict[str, Any]:
    found = await client.get(f"/api/v1/premises/{premises_id}", headers=headers(provider, "inspector", "station-01"))
    assert found.status_code == 200
    answer: dict[str, Any] = found.json()
    return answer


async def test_a_blocked_exit_is_found_published_and_cleared(
    client: httpx.AsyncClient, provider: FakeProvider, db: Database, post: Post, hotel: str
) -> None:
    wiring = {"item": "wiring", "result": "fail", "severity": "imminent"}
    made = await post(f"/premises/{hotel}/inspections", inspection(BLOCKED, wiring, {"item": "gas", "result": "pass"}))
    assert made.status_code == 201, made.text
    found = {each["item"]: each for each in made.json()["hazards"]}
    assert {item: each["severity"] for item, each in found.items()} == {"fire_exits": "imminent", "wiring": "imminent"}
    types = [type_ for type_, _ in await sent(db)]
    assert types == ["inspection-done", "hazard-found", "hazard-found", "premises"]
    state = (await sent(db))[-1][1]
    assert state["worst_open_hazard"] == "imminent"
    assert {each["hazard_id"] for each in state["open_hazards"]} == {each["hazard_id"] for each in found.values()}

    cleared = await post(f"/hazards/{found['wiring']['hazard_id']}/clearances", {"note": "已换线"})
    assert cleared.status_code == 201
    again = await post(f"/hazards/{found['wiring']['hazard_id']}/clearances", {"note": "已换线"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:anju:problem:already-cleared")
    visit = await post(f"/premises/{hotel}/inspections", inspection(FREE))
    assert visit.json()["hazards"] == []
    assert [type_ for type_, _ in (await sent(db))[4:]] == [
        "hazard-cleared", "premises", "inspection-done", "hazard-cleared", "premises",
    ]  # fmt: skip
    assert (await sent(db))[-1][1]["open_hazards"] == []
    now = await read(client, provider, hotel)
    assert (now["open_hazards"], now["worst_open_hazard"], now["grade"]) == ([], None, None)
    assert now["last_inspection"]["inspection_id"] == visit.json()["inspection_id"]


async def test_a_visit_that_changes_nothing_publishes_no_state(db: Database, post: Post, hotel: str) -> None:
    for outcome in ("nobody_home", "refused"):
        made = await post(f"/premises/{hotel}/inspections", inspection(outcome=outcome))
        assert (made.status_code, made.json()["hazards"]) == (201, [])
    assert [type_ for type_, _ in await sent(db)] == ["inspection-done", "inspection-done"]


async def test_a_clearance_is_timed_by_the_database_and_hides_no_hazard_found_after_it(post: Post, hotel: str) -> None:
    """A web process's own clock may be ahead; what is cleared by it would hide what the next visit finds."""
    found = await post(f"/premises/{hotel}/inspections", inspection(BLOCKED))
    moment = datetime.now(UTC) - timedelta(seconds=30)
    with database_clock(moment):
        cleared = await post(f"/hazards/{found.json()['hazards'][0]['hazard_id']}/clearances", {"note": "已清空"})
    assert cleared.json()["cleared_at"] == moment.isoformat()
    just_after = (moment + timedelta(seconds=1)).isoformat()
    again = await post(f"/premises/{hotel}/inspections", inspection(BLOCKED, inspected_at=just_after))
    assert [each["item"] for each in again.json()["hazards"]] == ["fire_exits"]


async def test_how_far_a_phone_is_ahead_is_told_by_the_databases_clock(post: Post, hotel: str) -> None:
    now = datetime.now(UTC)
    for behind, status in ((timedelta(minutes=4), 201), (timedelta(minutes=6), 422)):
        with database_clock(now - behind):
            made = await post(f"/premises/{hotel}/inspections", inspection(FREE, inspected_at=now.isoformat()))
        assert made.status_code == status, made.text


async def test_a_late_visit_behind_a_newer_one_changes_no_hazard(db: Database, post: Post, hotel: str) -> None:
    await post(f"/premises/{hotel}/inspections", inspection(FREE))
    late = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    made = await post(f"/premises/{hotel}/inspections", inspection(BLOCKED, inspected_at=late))
    assert (made.status_code, made.json()["hazards"]) == (201, [])
    assert [type_ for type_, _ in await sent(db)] == ["inspection-done", "inspection-done"]


async def test_two_inspectors_at_once_open_one_hazard(db: Database, post: Post, hotel: str) -> None:
    made = await asyncio.gather(*(post(f"/premises/{hotel}/inspections", inspection(BLOCKED)) for _ in range(4)))
    assert {each.status_code for each in made} == {201}
    assert len({each.json()["hazards"][0]["hazard_id"] for each in made if each.json()["hazards"]}) == 1
    assert [type_ for type_, _ in await sent(db)].count("hazard-found") == 1


async def test_a_repeated_inspection_is_one(
    client: httpx.AsyncClient, provider: FakeProvider, db: Database, hotel: str
) -> None:
    same = headers(provider, "inspector", "station-01")
    body = inspection(BLOCKED)
    answers = [await client.post(f"/api/v1/premises/{hotel}/inspections", json=body, headers=same) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len(await sent(db)) == 3


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (inspection(), "/items", "missing"),
        (inspection(FREE, outcome="left"), "/outcome", None),
        (inspection(FREE, entry_basis="force"), "/entry_basis", None),
        (inspection(FREE, checklist_version="2"), "/checklist_version", "not-in-force"),
        (inspection(FREE, inspected_at="2026-11-24 10:00"), "/inspected_at", None),
        (inspection(FREE, inspected_at="2015-01-01T00:00:00Z"), "/inspected_at", "no-checklist-then"),
        (inspection(FREE, inspected_at="2999-01-01T00:00:00Z"), "/inspected_at", None),
        (inspection({"item": "ghosts", "result": "pass"}), "/items/0/item", "unknown-item"),
        (inspection(FREE, FREE), "/items/1/item", "duplicate-item"),
        (inspection({**BLOCKED, "severity": "minor"}), "/items/0/severity", "severity-lowered"),
        (inspection({**FREE, "severity": "imminent"}), "/items/0/severity", "severity-without-failure"),
        (inspection({**FREE, "result": "maybe"}), "/items/0/result", None),
        (inspection({**FREE, "note": "x" * 501}), "/items/0/note", None),
    ],
)
async def test_what_cannot_be_is_refused_at_its_field(
    post: Post, db: Database, hotel: str, body: dict[str, Any], pointer: str, code: str | None
) -> None:
    answer = await post(f"/premises/{hotel}/inspections", body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert code in (None, error["code"])
    assert await sent(db) == []


async def test_closing_tells_how_many_live_there_and_opening_again(
    client: httpx.AsyncClient, provider: FakeProvider, db: Database, post: Post, hotel: str
) -> None:
    async with db.transaction() as tx:
        await headcounts.put(tx, [Headcount(UUID(hotel), 4, (1, 1))])
    early = await post(f"/premises/{hotel}/reopenings", {"reason": "x"})
    assert (early.status_code, early.json()["type"]) == (409, "urn:anju:problem:not-closed")
    wrong = await post(f"/premises/{hotel}/closures", {"reason": "出口堵塞", "confirm_headcount": 3})
    assert (wrong.status_code, wrong.json()["type"]) == (409, "urn:anju:problem:headcount-differs")
    assert wrong.json()["headcount"] == 4
    closed = await post(f"/premises/{hotel}/closures", {"reason": "出口堵塞", "confirm_headcount": 4})
    assert (closed.status_code, closed.json()["headcount"], closed.json()["status"]) == (201, 4, "closed")
    assert (await read(client, provider, hotel))["status"] == "closed"
    again = await post(f"/premises/{hotel}/closures", {"reason": "出口堵塞", "confirm_headcount": 4})
    assert (again.status_code, again.json()["type"]) == (409, "urn:anju:problem:already-closed")
    opened = await post(f"/premises/{hotel}/reopenings", {"reason": "已整改"})
    assert (opened.status_code, opened.json()["status"]) == (201, "open")
    events = await sent(db)
    assert [type_ for type_, _ in events] == ["premises-closed", "premises", "premises-reopened", "premises"]
    assert [value["status"] for type_, value in events if type_ == "premises"] == ["closed", "open"]


async def test_a_letter_is_signed_once_by_the_operators_people(
    client: httpx.AsyncClient, provider: FakeProvider, db: Database, post: Post, hotel: str
) -> None:
    assert (await read(client, provider, hotel))["letter"] is None
    old = await post(f"/premises/{hotel}/letters", {"letter_version": "0"}, "premises_operator", "hotel-01")
    assert (old.status_code, old.json()["letter_version"]) == (409, "1")
    signed = await post(f"/premises/{hotel}/letters", {}, "premises_operator", "hotel-01")
    assert (signed.status_code, signed.json()["text_sha256"]) == (201, TEXT_SHA256)
    assert (await post(f"/premises/{hotel}/letters", {})).status_code == 409
    assert (await read(client, provider, hotel))["letter"]["in_force"] is True
    events = await sent(db)
    assert [type_ for type_, _ in events] == ["letter-signed", "premises"]
    assert events[1][1]["letter_signed"] is True


async def test_who_may_do_what(post: Post, hotel: str) -> None:
    made = await post(f"/premises/{hotel}/inspections", inspection(BLOCKED))
    hazard = made.json()["hazards"][0]["hazard_id"]
    steps: list[tuple[str, Any]] = [
        (f"/premises/{hotel}/inspections", inspection(FREE)),
        (f"/premises/{hotel}/closures", {"reason": "x", "confirm_headcount": 0}),
        (f"/premises/{hotel}/reopenings", {"reason": "x"}),
        (f"/hazards/{hazard}/clearances", {"note": "x"}),
        (f"/premises/{hotel}/completion", BODY),
    ]
    for path, body in steps:
        for role, unit in [("clerk", "station-01"), ("premises_operator", "hotel-01"), ("inspector", "station-02")]:
            assert (await post(path, body, role, unit)).status_code == 403, (path, role)
        unknown = path.replace(hotel, str(uuid4())).replace(hazard, str(uuid4()))
        assert (await post(unknown, body)).status_code == 404, path
    assert (await post(f"/premises/{hotel}/letters", {}, "premises_operator", "hotel-02")).status_code == 403


def stub_record(premises_id: UUID, type_: str = envelope.PREMISES_STUBBED) -> Record:
    model = PremisesStubbedV1(
        premises_id=premises_id,
        kind=PremisesKind.RENTAL,
        address="柳堤街道无名巷 3 号",
        division_code="330199001",
        stubbed_at=NOW,
    )
    return Record(
        topic=topics.REGISTRATION_STUBS,
        partition=0,
        offset=0,
        key=str(premises_id),
        type=type_,
        event_id=str(uuid4()),
        source="/anju/registration",
        epoch=1,
        sequence=1,
        timestamp=NOW,
        traceparent=None,
        value=model.model_dump_json().encode(),
    )


async def test_a_stub_is_kept_once_inspected_and_completed(
    client: httpx.AsyncClient, provider: FakeProvider, db: Database, post: Post, unknown: UUID
) -> None:
    for _ in range(2):
        async with db.transaction() as tx:
            await take_stub(tx, stub_record(unknown))
    async with db.read() as tx:
        rows = await tx.all(sa.select(outbox.c.type, outbox.c.value))
    assert [row.type for row in rows] == [envelope.PREMISES]
    assert orjson.loads(rows[0].value)["status"] == "stub"

    stub = await read(client, provider, str(unknown))
    assert (stub["status"], stub["name"], stub["capacity"], stub["operator"]) == (
        "stub",
        None,
        0,
        {"kind": None, "name": None},
    )
    closing = await post(f"/premises/{unknown}/closures", {"reason": "x", "confirm_headcount": 0})
    assert (closing.status_code, closing.json()["type"]) == (409, "urn:anju:problem:not-completed")
    assert (await post(f"/premises/{unknown}/inspections", inspection(BLOCKED))).status_code == 201
    elsewhere = await post(f"/premises/{unknown}/completion", {**BODY, "division_code": "330199002"})
    assert elsewhere.status_code == 403
    whole = await post(f"/premises/{unknown}/completion", BODY)
    assert (whole.status_code, whole.json()) == (201, {"premises_id": str(unknown), "capacity": 3})
    twice = await post(f"/premises/{unknown}/completion", BODY)
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:anju:problem:not-a-stub")
    now = await read(client, provider, str(unknown))
    assert (now["status"], now["name"], len(now["rooms"]), len(now["open_hazards"])) == ("open", BODY["name"], 2, 1)
    async with db.transaction() as tx:
        await take_stub(tx, stub_record(unknown))
    assert (await read(client, provider, str(unknown)))["status"] == "open"


async def test_a_bad_stub_is_named_by_a_code(db: Database, unknown: UUID) -> None:
    with pytest.raises(BadRecord) as bad:
        async with db.transaction() as tx:
            await take_stub(tx, stub_record(unknown, envelope.PERSON_ARRIVED))
    assert bad.value.reason == "unknown-type"
