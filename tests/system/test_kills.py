"""Whatever is killed under load: every answered arrival is stored and published once, one alert per notice and stay."""

import asyncio
import os
import uuid
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.people import People
from tests.system import journal
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

FULL = os.environ.get("ANJU_SHOWS") == "full"
# Each victim in turn dies this often while terminals keep sending.
ROUNDS = 3 if FULL else 1
ARRIVALS_PER_KILL = 120 if FULL else 60
# Every fifth guest is wanted.
WANTED_EVERY = 5
TERMINALS = 8
VICTIMS = ("alerts-worker", "registration-worker", "registration-web", "kafka", "postgres")


@pytest.mark.parametrize("victim", VICTIMS)
async def test_killed_under_load(victim: str, desks: Desks, http: httpx.AsyncClient, city: Any) -> None:
    for _ in range(ROUNDS):
        load = await Load.prepare(desks, http)
        sending = asyncio.create_task(load.send())
        await load.reached(ARRIVALS_PER_KILL // 3)
        city.kill(victim)
        await sending
        await city.ready(timeout=90)
        await load.check(city.status())


async def test_workers_joining_and_killed(desks: Desks, http: httpx.AsyncClient, city: Any) -> None:
    """A second alerts worker joins and is killed, again and again, while arrivals come."""
    load = await Load.prepare(desks, http)
    sending = asyncio.create_task(load.send())
    rounds = 0
    while not sending.done() or rounds < 2:
        worker = await city.extra_worker("alerts")
        await worker.ready(timeout=60)
        await asyncio.wait([sending], timeout=3.0)
        worker.kill()
        rounds += 1
    await sending
    await load.check(city.status())


class Load:
    """Terminals that register guests, some of them wanted, and remember what they were told."""

    def __init__(self, desks: Desks, http: httpx.AsyncClient, premises_id: str) -> None:
        self.desks, self.http, self.premises_id = desks, http, premises_id
        people = People(seed=uuid.uuid4().int)
        self.persons = [people.person() for _ in range(ARRIVALS_PER_KILL)]
        self.notices: dict[int, str] = {}
        self.stays: dict[int, str] = {}
        self._answered = asyncio.Condition()

    @classmethod
    async def prepare(cls, desks: Desks, http: httpx.AsyncClient) -> "Load":
        load = cls(desks, http, await desks.premises(http))
        for number in range(0, ARRIVALS_PER_KILL, WANTED_EVERY):
            load.notices[number] = await desks.notice(http, load.persons[number]["document"])
        return load

    async def send(self) -> None:
        gate = asyncio.Semaphore(TERMINALS)

        async def one(number: int) -> None:
            async with gate:
                answer = await self.desks.arrive(self.http, self.desks.arrival(self.persons[number], self.premises_id))
            async with self._answered:
                self.stays[number] = answer["stay_id"]
                self._answered.notify_all()

        await asyncio.gather(*(one(number) for number in range(ARRIVALS_PER_KILL)))

    async def reached(self, count: int) -> None:
        async with asyncio.timeout(60), self._answered:
            await self._answered.wait_for(lambda: len(self.stays) >= count)

    async def check(self, status: dict[str, Any]) -> None:
        """Compare what terminals were told with what is stored, published and raised."""
        answered = set(self.stays.values())
        assert len(answered) == ARRIVALS_PER_KILL
        assert answered <= await journal.stored_stays(status)
        expected = Counter(
            (uuid.UUID(notice_id), uuid.UUID(self.stays[number])) for number, notice_id in self.notices.items()
        )
        mine = {notice_id for notice_id, _ in expected}

        async def raised() -> Counter[tuple[uuid.UUID, uuid.UUID]]:
            everywhere = await journal.raised_alerts(status)
            return Counter({pair: count for pair, count in everywhere.items() if pair[0] in mine})

        async def all_raised() -> bool:
            return set(await raised()) >= set(expected)

        await until(all_raised, seconds=90)
        assert await raised() == expected
        published = await journal.published_arrivals(status)
        assert {published[stay] for stay in answered} == {1}
        assert answered == await self._stays_at_premises(status)

    async def _stays_at_premises(self, status: dict[str, Any]) -> set[str]:
        """A retried arrival that was stored twice would show as one stay more at these premises."""
        async with journal.database(status, "registration") as connection:
            rows = await connection.fetch(
                "SELECT stay_id FROM stays WHERE premises_id = $1", uuid.UUID(self.premises_id)
            )
        return {str(row["stay_id"]) for row in rows}
