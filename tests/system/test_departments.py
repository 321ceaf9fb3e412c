"""From a blocked exit to the board, to the fire department's own reader, killed in between, and to the figures."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from anju.city.people import People
from chassis.events.kafka import KafkaSettings, producer
from contracts.departments import DEPARTMENTS
from tests.parts import DemoCity
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

SECONDS = 60.0
LATER = "child-protection"
# A community of its own: what it is counted for happened in this test alone.
DIVISION = "330199001088"


@asynccontextmanager
async def subscribed(city: DemoCity) -> AsyncIterator[asyncio.StreamReader]:
    """The lines of `anju subscribe fire`, which is killed at the end."""
    words = ("-m", "anju", "subscribe", "fire", "--data-dir", str(city.data_dir))
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def next_of(lines: asyncio.StreamReader, premises_id: str) -> dict[str, Any]:
    """The next event of these premises."""
    async with asyncio.timeout(SECONDS):
        while True:
            line: dict[str, Any] = json.loads(await lines.readline())
            if line["data"]["premises_id"] == premises_id:
                return line


async def counted(desks: Desks, http: httpx.AsyncClient) -> bool:
    """Whether reporting counts the hazard and the alert, each found and ended once."""
    reporting, manager = f"{desks.services['reporting']}/api/v1", desks.headers("manager")
    places, alerts = [
        (await http.get(f"{reporting}/{figures}", params={"division": DIVISION}, headers=manager)).json()
        for figures in ("housing-counts", "alert-counts")
    ]
    hazards = [places[f"hazards_{step}_imminent"] for step in ("found", "cleared", "open")]
    of_rule = [(each["raised"], each["cleared"]) for each in alerts["by_kind"] if each["kind"] == "unsafe_dwelling"]
    return (hazards, of_rule) == ([1, 1, 0], [(1, 1)])


async def test_a_blocked_exit_reaches_the_fire_department(
    city: DemoCity, desks: Desks, http: httpx.AsyncClient
) -> None:
    """Alert, event, clearance, and the end of both; the feed over HTTP has the same events; all of it is counted."""
    premises_id = await desks.premises(http, division_code=DIVISION)
    await desks.arrive(http, desks.arrival(People(20261125).person(), premises_id))
    inspector = desks.headers("inspector", "station-01")
    visit = {
        "checklist_version": "1",
        "entry_basis": "consent",
        "outcome": "done",
        "inspected_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
        "items": [{"item": "fire_exits", "result": "fail"}],
    }
    housing = f"{desks.services['housing']}/api/v1"
    async with desks.stream(http) as board:
        found = await http.post(f"{housing}/premises/{premises_id}/inspections", json=visit, headers=inspector)
        assert found.status_code == 201, found.text
        async with subscribed(city) as lines:
            opened = await next_of(lines, premises_id)
        await until(lambda: opened["data"]["case_id"] in board.raised())
    assert (opened["data"]["state"], opened["data"]["headcount"]) == ("open", 1)
    hazard_id = found.json()["hazards"][0]["hazard_id"]
    cleared = await http.post(
        f"{housing}/hazards/{hazard_id}/clearances",
        json={"note": "通道已清理"},
        headers=desks.headers("inspector", "station-01"),
    )
    assert cleared.status_code == 201, cleared.text
    async with subscribed(city) as lines:
        ended = await next_of(lines, premises_id)
        if ended["ce_id"] == opened["ce_id"]:  # it died before it had kept its place
            ended = await next_of(lines, premises_id)
    assert (ended["data"]["state"], ended["data"]["case_id"]) == ("cleared", opened["data"]["case_id"])

    async def alert_is_cleared() -> bool:
        own = [each for each in await desks.alerts(http) if each["premises_id"] == premises_id]
        return [each["state"] for each in own] == ["cleared"]

    await until(alert_is_cleared)
    await until(lambda: counted(desks, http), SECONDS)
    feed = f"{desks.services['alerts']}/api/v1/departments/fire/events"
    over_http: list[str] = []
    async with (
        asyncio.timeout(SECONDS),
        http.stream("GET", feed, headers=desks.headers("department_officer", "fire")) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: ") and premises_id in line:
                over_http.append(json.loads(line.removeprefix("data: "))["ce_id"])
            if len(over_http) == 2:
                break
    assert over_http == [opened["ce_id"], ended["ce_id"]]


async def test_a_department_that_is_told_nothing_yet_waits(city: DemoCity) -> None:
    """It is said so, and what comes then is read; killed, it goes on behind what it has read."""
    settings = city.status()["kafka"]
    kafka = KafkaSettings(
        settings["bootstrap"], settings["username"], settings["password"], replica="", client_id="test"
    )
    sender = producer(kafka)
    await sender.start()
    words = ("-m", "anju", "subscribe", LATER, "--json", "--data-dir", str(city.data_dir))
    try:
        for case in ("first", "second"):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            try:
                async with asyncio.timeout(SECONDS):
                    assert process.stdout is not None
                    assert process.stderr is not None
                    said = json.loads(await process.stderr.readline())["message"]
                    assert "nothing is published to alerts.department.child-protection yet" in said
                    await sender.send_and_wait(DEPARTMENTS[LATER].topic, json.dumps({"case": case}).encode(), key=b"1")
                    while json.loads(await process.stdout.readline())["data"] != {"case": case}:
                        assert case == "second"  # only what the kill came too early for may come again
            finally:
                process.kill()
                await process.wait()
    finally:
        await sender.stop()
