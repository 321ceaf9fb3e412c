"""Brokers that die, hang and come back, under a relay and consumers at work."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.events import reading
from chassis.events.reading import Stuck
from chassis.events.wake import Wake
from tests.kafka.conftest import Databases, Service, running, settings_of, writing
from tests.parts import Kafka, LocalParts
from tests.waiting import until


async def _service(kafka: Kafka, new_database: Databases, **settings: Any) -> Service:
    topic = await kafka.new_topic(partitions=3)
    service = Service(await new_database(), settings_of(kafka, **settings), topic, kafka.new_name("group"))
    service.db.after_every_commit(Wake(service.db))
    return service


@pytest.fixture(scope="module")
def mortal(local_parts: LocalParts) -> Iterator[Kafka]:
    """A broker that the tests of this module may kill; each leaves it running."""
    kafka = local_parts.kafka()
    yield kafka
    kafka.kill()


async def test_the_broker_is_killed_under_load(mortal: Kafka, new_database: Databases) -> None:
    service = await _service(mortal, new_database)
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        async with writing(service):
            await until(lambda: service.has(30))
            await asyncio.to_thread(mortal.kill)
            before = await service.count()
            await asyncio.to_thread(mortal.start)
            await until(lambda: service.has(before + 50))
        await until(service.all_arrived)
        await service.check()
        await until(service.all_sent)
        await until(lambda: consumers.health() == [])


async def test_an_outage_longer_than_the_request_timeout(mortal: Kafka, new_database: Databases) -> None:
    """The broker hangs: connections stand, nothing is answered, and aiokafka's requests run into their timeout."""
    timeout = 1.0
    service = await _service(mortal, new_database, producer_request_timeout_ms=int(timeout * 1000))
    async with running(service.relay(), service.consumers()):
        await service.write(["a", "b", "c"])
        await until(service.all_arrived)
        mortal.part.pause()
        begun = time.monotonic()
        await service.write(["a", "b", "c"])
        await until(lambda: time.monotonic() - begun > 3 * timeout)
        await service.write(["a", "b", "c"])
        mortal.part.resume()
        await until(service.all_arrived)
        await service.check()
        await until(service.all_sent)
        # And once more with a broker that is gone.
        await asyncio.to_thread(mortal.kill)
        begun = time.monotonic()
        await service.write(["a", "b", "c"])
        await until(lambda: time.monotonic() - begun > 2 * timeout)
        await asyncio.to_thread(mortal.start)
        await until(service.all_arrived)
        await service.check()


async def test_a_client_that_is_stuck_is_replaced(
    kafka: Kafka, new_database: Databases, logged: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscriber that gets nothing any more while the broker answers others, as aiokafka's may after an outage."""
    monkeypatch.setattr(reading, "LOOK_SECONDS", 1.0)
    service = await _service(kafka, new_database)
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await service.write(["a"])
        await until(service.all_arrived)
        stuck = consumers._kept[0].reading
        assert stuck is not None
        fetcher = stuck._consumer._fetcher
        assert fetcher is not None
        # Its fetching ends without a word: no error, no record.
        fetcher._fetch_task.cancel()
        async with writing(service):
            await until(lambda: consumers._kept[0].reading is not stuck)
        await until(service.all_arrived)
        await service.check()
    causes = [entry["exc_info"] for entry in logged if entry["event"] == "consumer-begins-anew"]
    assert any(_is_stuck(cause) for cause in causes)


def _is_stuck(error: BaseException) -> bool:
    return isinstance(error, BaseExceptionGroup) and error.subgroup(Stuck) is not None


async def test_a_process_that_starts_before_its_broker(mortal: Kafka, new_database: Databases) -> None:
    service = await _service(mortal, new_database)
    await asyncio.to_thread(mortal.kill)
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await service.write(["a", "b", "c"])
        assert consumers.health() == [f"{service.topic}: not reading yet"]
        await asyncio.to_thread(mortal.start)
        await until(service.all_arrived)
        await service.check()
        await until(lambda: consumers.health() == [])
