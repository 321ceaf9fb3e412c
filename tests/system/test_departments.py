"""From a blocked exit to the fire department's own reader, which is killed in between and goes on."""

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
from tests.parts import DemoCity
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = pytest.mark.system

SECONDS = 60.0


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


async def test_a_blocked_exit_reaches_the_fire_department(
    city: DemoCity, desks: Desks, http: httpx.AsyncClient
) -> None:
    """Alert, event, clearance, and the end of both; the same feed over HTTP has the same events."""
    premises_id = await desks.premises(http)
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
    found = await http.post(f"{housing}/premises/{premises_id}/inspections", json=visit, headers=inspector)
    assert found.status_code == 201, found.text
    async with subscribed(city) as lines:
        opened = await next_of(lines, premises_id)
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
