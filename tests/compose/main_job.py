"""The city's main job through the proxy while a broker is killed: what was sent, and what came of it."""

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.compose.city import BROKERS, ContainerCity
from tests.people import People
from tests.system.desks import Desks
from tests.waiting import until

ARRIVALS = 500
TERMINALS = 16
# The broker is killed when so many have been answered, so that most are still to come.
KILLED_AFTER = 100
# Partitions move to another broker after the dead one's session, and the relay builds a new producer.
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class MainJob:
    """What was done: `stays` are the answered arrivals' ids, `told` the changes that the stream said."""

    killed: str
    stays: list[str]
    wanted_stay: str
    notice_id: str
    alert: dict[str, Any]
    told: list[dict[str, Any]]
    sent_seconds: float
    alert_seconds: float


async def main_job(city: ContainerCity, desks: Desks, http: httpx.AsyncClient) -> MainJob:
    """Register 500 arrivals, one of a wanted person, and kill a broker meanwhile; return when all is published."""
    people = People(seed=uuid.uuid4().int)
    premises_id = await desks.premises(http)
    persons = [people.person() for _ in range(ARRIVALS)]
    wanted = ARRIVALS * 2 // 3
    notice_id = await desks.notice(http, persons[wanted]["document"])
    killed = BROKERS[(await asyncio.to_thread(city.census, "registration", "leader")) - 1]
    async with desks.stream(http) as stream:
        began = time.monotonic()

        def kill() -> None:
            city.docker("kill", "--signal=KILL", city.container(killed))

        stays = await _arrive(desks, http, [desks.arrival(person, premises_id) for person in persons], kill)
        sent = time.monotonic() - began
        alert = await _alert_of(desks, http, notice_id)
        await until(lambda: alert["alert_id"] in stream.raised(), PATIENCE_SECONDS)
        seen = time.monotonic() - began

        async def all_published() -> bool:
            return set(stays) <= set(await asyncio.to_thread(city.census, "registration", "arrivals"))

        await until(all_published, PATIENCE_SECONDS)
    told = [event for _, _, event in stream.events]
    return MainJob(killed, stays, stays[wanted], notice_id, alert, told, sent, seen)


async def _arrive(
    desks: Desks, http: httpx.AsyncClient, arrivals: list[dict[str, Any]], kill: Callable[[], None]
) -> list[str]:
    gate, answered = asyncio.Semaphore(TERMINALS), asyncio.Event()
    stays: dict[int, str] = {}

    async def arrive(number: int) -> None:
        async with gate:
            stays[number] = (await desks.arrive(http, arrivals[number]))["stay_id"]
        if len(stays) == KILLED_AFTER:
            answered.set()

    async def kill_then() -> None:
        await answered.wait()
        await asyncio.to_thread(kill)

    async with asyncio.TaskGroup() as load:
        load.create_task(kill_then())
        for number in range(len(arrivals)):
            load.create_task(arrive(number))
    return [stays[number] for number in range(len(arrivals))]


async def _alert_of(desks: Desks, http: httpx.AsyncClient, notice_id: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for alert in await desks.alerts(http):
                if alert.get("notice_id") == notice_id:
                    return alert
            await asyncio.sleep(0.2)
