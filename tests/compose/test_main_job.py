"""The main job through the proxy while a broker is killed: one alert on the stream, nothing lost, nothing doubled."""

import asyncio
import time
import uuid
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.compose.city import BROKERS, ContainerCity
from tests.people import People
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1200)]

ARRIVALS = 500
TERMINALS = 16
# The broker is killed when so many have been answered, so that most are still to come.
KILLED_AFTER = 100
# Partitions move to another broker after the dead one's session, and the relay builds a new producer.
PATIENCE_SECONDS = 120.0


async def test_wanted_among_500_while_a_broker_is_killed(
    desks: Desks, http: httpx.AsyncClient, city: ContainerCity, record_property: Any
) -> None:
    people = People(seed=uuid.uuid4().int)
    premises_id = await desks.premises(http)
    persons = [people.person() for _ in range(ARRIVALS)]
    wanted = persons[ARRIVALS * 2 // 3]
    notice_id = await desks.notice(http, wanted["document"])
    broker = BROKERS[(await asyncio.to_thread(city.census, "registration", "leader")) - 1]
    gate, answered = asyncio.Semaphore(TERMINALS), asyncio.Event()
    stays: dict[int, str] = {}

    async def arrive(number: int) -> None:
        async with gate:
            stay = await desks.arrive(http, desks.arrival(persons[number], premises_id))
        stays[number] = stay["stay_id"]
        if len(stays) == KILLED_AFTER:
            answered.set()

    async def kill() -> None:
        await answered.wait()
        await asyncio.to_thread(city.docker, "kill", "--signal=KILL", city.container(broker))

    async with desks.stream(http) as stream:
        began = time.monotonic()
        async with asyncio.TaskGroup() as load:
            load.create_task(kill())
            for number in range(ARRIVALS):
                load.create_task(arrive(number))
        sent = time.monotonic() - began
        alert = await _alert_of(desks, http, notice_id)
        await until(lambda: alert["alert_id"] in stream.raised(), PATIENCE_SECONDS)
        seen = time.monotonic() - began

        async def all_published() -> bool:
            arrived = await asyncio.to_thread(city.census, "registration", "arrivals")
            return set(stays.values()) <= set(arrived)

        await until(all_published, PATIENCE_SECONDS)
    print(f"\n{ARRIVALS} arrivals in {sent:.1f} s with {broker} killed; alert on the stream at {seen:.1f} s")
    record_property("seconds", f"arrivals {sent:.1f} alert {seen:.1f}")

    assert sorted(await asyncio.to_thread(city.census, "registration", "stays")) == sorted(stays.values())
    arrived = await asyncio.to_thread(city.census, "registration", "arrivals")
    assert Counter(arrived) == Counter(stays.values())
    stay_id = stays[persons.index(wanted)]
    assert await asyncio.to_thread(city.census, "alerts", "alerts") == [[notice_id, stay_id]]
    told = [event for _, _, event in stream.events if event["change"] == "raised"]
    assert [event["alert_id"] for event in told if event["alert_id"] == alert["alert_id"]] == [alert["alert_id"]]

    city.docker("start", city.container(broker))
    await until(lambda: city.health(broker) == "healthy", PATIENCE_SECONDS)


async def test_a_page_logs_in_through_the_proxy(desks: Desks, http: httpx.AsyncClient, city: ContainerCity) -> None:
    address = city.settings["ALERTS_URL"]
    page = await http.get(f"{address}/login?hint=officer-1&next=/", follow_redirects=True)
    assert page.status_code == 200
    assert str(page.url) == f"{address}/"
    assert "张岚" in page.text


async def _alert_of(desks: Desks, http: httpx.AsyncClient, notice_id: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for alert in await desks.alerts(http):
                if alert.get("notice_id") == notice_id:
                    return alert
            await asyncio.sleep(0.2)
