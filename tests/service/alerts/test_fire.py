"""The fire department's events: from a blocked exit with people inside to its end, in the outbox and over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.events.tables import outbox
from chassis.web.streams import Event
from contracts import envelope, topics
from services.alerts.stream import DepartmentFeed
from tests.service.alerts.callers import OFFICER, Api
from tests.service.alerts.conftest import alert_rows
from tests.service.alerts.dwellings import ADDRESS, headcount, premises, tell_headcounts, tell_premises

pytestmark = pytest.mark.postgres

BLOCKED = (("fire_exits", "imminent"),)
SECONDS = 10.0


async def told(db: Database) -> list[dict[str, Any]]:
    """The events in the outbox for the fire department, each fit for its contract."""
    async with db.read() as tx:
        rows = await tx.all(
            sa.select(outbox).where(outbox.c.topic == topics.ALERTS_DEPARTMENT_FIRE).order_by(outbox.c.id)
        )
    for row in rows:
        envelope.TYPES[row.type].model_validate_json(bytes(row.value))
        assert row.key == json.loads(bytes(row.value))["case_id"]
    return [json.loads(bytes(row.value)) for row in rows]


async def test_a_case_from_opening_to_end(db: Database) -> None:
    """Place, hazards and headcount; told again when they change; one case id and one beginning; nobody's name."""
    await tell_premises(db, premises(1, BLOCKED))
    assert await told(db) == []
    await tell_headcounts(db, headcount(1, 3))
    await tell_headcounts(db, headcount(2, 2))
    await tell_premises(db, premises(2, (*BLOCKED, ("wiring", "minor"))))  # nothing that concerns them
    await tell_premises(db, premises(3))
    opened, fewer, cleared = await told(db)
    (row,) = await alert_rows(db)
    assert opened == {
        "case_id": str(row.alert_id),
        "premises_id": str(row.premises_id),
        "address": ADDRESS,
        "division_code": "330199001",
        "latitude": 30.25,
        "longitude": 120.15,
        "hazards": [{"item": "fire_exits", "severity": "imminent"}],
        "headcount": 3,
        "since": opened["since"],
        "state": "open",
    }
    assert fewer == opened | {"headcount": 2}
    assert cleared == fewer | {"state": "cleared", "hazards": [], "ended_at": cleared["ended_at"]}


async def test_closed_premises_are_a_case_only_while_a_hazard_is_imminent(db: Database) -> None:
    """The alert goes on, the case ends and opens again."""
    await tell_headcounts(db, headcount(1, 3))
    await tell_premises(db, premises(1, status="closed"))
    for number, hazards in enumerate((BLOCKED, (), BLOCKED), start=2):
        await tell_premises(db, premises(number, hazards, status="closed"))
    events = await told(db)
    assert [event["state"] for event in events] == ["open", "cleared", "open"]
    assert events[0]["since"] < events[2]["since"]
    assert [row.state for row in await alert_rows(db)] == ["new"]


async def test_an_officer_closes_and_opens_again(db: Database, api: Api) -> None:
    """Both are told."""
    await tell_headcounts(db, headcount(1, 3))
    await tell_premises(db, premises(1, BLOCKED))
    path = f"/alerts/{(await alert_rows(db))[0].alert_id}"
    assert (await api.post(f"{path}/closure", {"outcome": "test", "reason": "演练"}, *OFFICER)).status_code == 200
    assert (await api.post(f"{path}/reopening", {"reason": "并非演练"}, *OFFICER)).status_code == 200
    assert [event["state"] for event in await told(db)] == ["open", "closed", "open"]


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    """The next events, within SECONDS."""
    async with asyncio.timeout(SECONDS):
        return [await anext(events) for _n in range(count)]


async def test_the_feed_goes_on_where_a_reader_stopped(db: Database) -> None:
    """Every event once and in order, those before and after it opened."""
    feed = DepartmentFeed(db)
    running = asyncio.create_task(feed.run())
    try:
        await tell_premises(db, premises(1, BLOCKED))
        for number in range(1, 5):
            await tell_headcounts(db, headcount(number, number))
        first = await take(await feed.open("fire", 0), 2)
        events = await feed.open("fire", int(first[-1].id or 0))
        second = await take(events, 2)
        await tell_premises(db, premises(2))
        second += await take(events, 1)
    finally:
        running.cancel()
    assert [event.id for event in first + second] == ["1", "2", "3", "4", "5"]
    lines = [json.loads(event.data) for event in first + second]
    assert [line["data"]["headcount"] for line in lines] == [1, 2, 3, 4, 4]
    assert lines[-1]["ce_type"] == envelope.IMMINENT_HAZARD_OCCUPIED_CLEARED
    async with db.read() as tx:
        ids = await tx.all(sa.select(outbox.c.event_id).order_by(outbox.c.id))
    assert [line["ce_id"] for line in lines] == [str(row.event_id) for row in ids]


async def test_the_feed_is_the_departments_own(api: Api) -> None:
    """Another role or unit is refused; a department without a feed is not found; a place that is none is refused."""
    path = "/departments/fire/events"
    assert (await api.get(path, *OFFICER)).status_code == 403
    assert (await api.get(path, "department_officer", "education")).status_code == 403
    assert (await api.get("/departments/education/events", "department_officer", "education")).status_code == 404
    assert (await api.get("/departments/child-protection/events", "department_officer", "fire")).status_code == 403
    assert (await api.get(path, "department_officer", "fire", after="x")).status_code == 422
