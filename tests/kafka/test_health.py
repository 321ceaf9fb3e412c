"""The health page of a worker says what stands still, for how long, and that it goes on again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette

from chassis.data.db import Transaction
from chassis.events import consumers as consumers_module
from chassis.events import reading, relay
from chassis.events.histories import Record
from chassis.run.service import Reports, part_checks
from chassis.web import health
from chassis.web.health import Health
from tests.kafka.conftest import Databases, Service, Services, running, settings_of, with_events
from tests.parts import Kafka
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is late after half a minute is late after two seconds."""
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(reading, "TICK_SECONDS", 0.2)
    monkeypatch.setattr(reading, "LATE_SECONDS", 2.0)
    monkeypatch.setattr(consumers_module, "TICK_SECONDS", 0.2)
    monkeypatch.setattr(consumers_module, "UNSETTLED_SECONDS", 2.0)
    monkeypatch.setattr(relay, "MEASURE_SECONDS", 0.3)
    monkeypatch.setattr(relay, "LATE_SECONDS", 2.0)
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)


class Page:
    """The health page of a worker with these parts, asked over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def reasons(self) -> list[str]:
        """What it says; nothing when the process is ready."""
        answer = await self._client.get("/health/ready")
        document = answer.json()
        assert answer.status_code == (503 if document.get("reasons") else 200)
        return list(document.get("reasons", ()))

    async def says(self, *words: str) -> None:
        """Wait until one reason has all of these words."""

        async def said() -> bool:
            return any(all(word in reason for word in words) for reason in await self.reasons())

        await until(said)

    async def is_ready(self) -> None:
        """Wait until it is, and see that it stays so."""

        async def ready() -> bool:
            return await self.reasons() == []

        await until(ready)
        for _ in range(10):  # it does not change its mind with the next look
            await asyncio.sleep(0.05)
            assert await self.reasons() == []


@asynccontextmanager
async def page_of(**parts: Reports) -> AsyncIterator[Page]:
    """The page of a worker with these parts."""
    app = Starlette(routes=Health(part_checks(**parts)).routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://worker.test") as client:
        yield Page(client)


async def test_a_consumer_that_has_not_begun_is_not_ready(new_service: Services) -> None:
    service = await with_events(new_service, 1)
    consumers = service.consumers()
    async with page_of(consumers=consumers) as page:
        assert await page.reasons() == [f"consumers: {service.topic}: not reading yet"]
        async with running(consumers):
            await page.is_ready()


class Trouble:
    """A handler that cannot work for a while: each try fails at once, or waits for something that does not come."""

    def __init__(self, service: Service, kind: str) -> None:
        self._handle, self._kind = service.handle, kind
        self.over = asyncio.Event()
        self.over.set()
        service.handle = self.handle  # type: ignore[method-assign]

    async def handle(self, tx: Transaction, record: Record) -> None:
        """Handle a record when it can."""
        if self._kind == "fails" and not self.over.is_set():
            raise ConnectionError("a part of the service is away")
        await self.over.wait()
        await self._handle(tx, record)


@pytest.mark.parametrize("kind", ["fails", "hangs"])
async def test_a_consumer_that_stopped_says_so_until_it_goes_on(new_service: Services, kind: str) -> None:
    service = await with_events(new_service, 3)
    trouble = Trouble(service, kind)
    consumers = service.consumers()
    async with page_of(consumers=consumers) as page, running(service.relay(), consumers):
        await until(service.all_arrived)
        await page.is_ready()
        trouble.over.clear()
        await service.write(["a"])
        await page.says(f"consumers: {service.topic}[0]: 1 records wait to be read, the first for at least")
        for _ in range(3):
            await service.write(["a"])
        await page.says(f"consumers: {service.topic}[0]: 4 records wait to be read, the first for at least")
        trouble.over.set()
        await until(service.all_arrived)
        await page.is_ready()
        await service.check()


async def test_a_broker_that_is_away_is_said_by_readers_and_relay(
    own_kafka: Callable[[], Kafka], new_database: Databases
) -> None:
    broker = own_kafka()
    topic = await broker.new_topic()
    service = Service(await new_database(), settings_of(broker), topic, "group")
    sender, consumers = service.relay(), service.consumers()
    async with page_of(relay=sender, consumers=consumers) as page, running(sender, consumers):
        await service.write(["a"])
        await until(service.all_arrived)
        await page.is_ready()
        await asyncio.to_thread(broker.kill)
        await service.write(["a"])
        await page.says(f"consumers: {topic}: not read for")
        await page.says("relay: outbox: the oldest event has waited")
        await asyncio.to_thread(broker.start)
        await until(service.all_arrived, 60)
        await page.is_ready()
