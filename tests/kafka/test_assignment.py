"""What happens at assignments: the place in PostgreSQL counts, whatever Kafka, aiokafka or another reader think."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from prometheus_client import REGISTRY

from chassis.data.db import Database, DatabaseUnavailable
from chassis.events.reading import Reading, _Listener
from chassis.events.tables import consumer_positions
from tests.kafka.conftest import Service, Services, prepared, running, settings_of, with_events
from tests.parts import Kafka, Postgres
from tests.waiting import until


async def _commit_to_kafka(service: Service, offset: int) -> None:
    """Leave an offset with Kafka itself, as the display of the lag does."""
    settings = service.kafka
    consumer = AIOKafkaConsumer(**settings.connection("committer", 5000), group_id=service.group)
    place = TopicPartition(service.topic, 0)
    consumer.assign([place])
    await consumer.start()
    await consumer.commit({place: offset})
    await consumer.stop()


async def test_kafkas_own_offset_is_for_display(new_service: Services) -> None:
    service = await with_events(new_service)
    await _commit_to_kafka(service, 7)
    async with running(service.consumers()):
        await until(service.all_arrived)
        await service.check()
        await until(lambda: _committed(service, 10), seconds=15)


async def _committed(service: Service, offset: int) -> bool:
    consumer = AIOKafkaConsumer(**service.kafka.connection("asker", 5000), group_id=service.group)
    place = TopicPartition(service.topic, 0)
    consumer.assign([place])
    await consumer.start()
    try:
        return bool(await consumer.committed(place) == offset)
    finally:
        await consumer.stop()


async def test_what_is_delivered_before_the_seek_is_dropped(
    new_service: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka fetches from Kafka's own offset while the listener has not yet stopped the partitions."""
    service = await with_events(new_service)
    await _commit_to_kafka(service, 4)
    early = asyncio.Event()
    assigned, handle = _Listener.on_partitions_assigned, Reading._handle

    async def late(self: _Listener, partitions: Collection[TopicPartition]) -> None:
        await early.wait()
        await assigned(self, partitions)

    async def note(self: Reading, runs: Any) -> None:
        if not early.is_set():
            assert runs[0][0].offset == 4
            # A load would seek by itself; the listener is to find what was delivered as it was.
            self._load_due.clear()
            early.set()
        await handle(self, runs)

    monkeypatch.setattr(_Listener, "on_partitions_assigned", late)
    monkeypatch.setattr(Reading, "_handle", note)
    async with running(service.consumers()):
        await until(service.all_arrived)
        await service.check()
    assert early.is_set()


async def test_a_listener_that_fails_at_assignment(new_service: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """aiokafka swallows the error and goes on from Kafka's own offset: nothing may be taken from there."""
    service = await with_events(new_service)
    await _commit_to_kafka(service, 4)
    calls: list[Collection[TopicPartition]] = []

    async def fail(self: _Listener, partitions: Collection[TopicPartition]) -> None:
        calls.append(partitions)
        raise RuntimeError("the listener fails")

    monkeypatch.setattr(_Listener, "on_partitions_assigned", fail)
    async with running(service.consumers(), service.relay()):
        await until(service.all_arrived)
        await service.write(["a", "b"])
        await until(service.all_arrived)
        await service.check()
    assert calls


async def test_postgres_is_down_at_assignment(
    kafka: Kafka, own_postgres: Callable[[], Postgres], logged: list[dict[str, Any]]
) -> None:
    postgres = own_postgres()
    db = await prepared(await postgres.new_database())
    service = Service(db, settings_of(kafka), await kafka.new_topic(partitions=2), kafka.new_name("group"))
    async with running(service.relay()):
        await service.write(["a", "b", "c", "d"])
        await until(service.all_sent)
    await db.dispose()
    postgres.kill()
    consumers = service.consumers()
    async with running(consumers):
        await until(lambda: any(entry["event"] == "consumer-cannot-load" for entry in logged))
        assert consumers.health()
        postgres.start()
        await until(service.all_arrived)
        await service.check()
        await until(lambda: consumers.health() == [])
        # And in the middle of its work.
        postgres.kill()
        postgres.start()
        await until(lambda: _answers(db))
        async with running(service.relay()):
            await service.write(["a", "b", "c", "d"])
            await until(service.all_arrived)
            await service.check()
    await db.dispose()


async def _answers(db: Database) -> bool:
    """Whether the database is reached again; a connection of before its end is not."""
    try:
        async with db.read() as tx:
            return bool(await tx.scalar(sa.select(1)))
    except DatabaseUnavailable:
        return False


async def test_a_rewound_offset_brings_only_repeats(new_service: Services) -> None:
    service = await with_events(new_service)
    before = _repeats(service)

    async def rewind() -> None:
        async with service.db.transaction() as tx:
            await tx.execute(
                sa.update(consumer_positions).where(consumer_positions.c.group == service.group).values(next_offset=0)
            )

    async with running(service.consumers()):
        await until(service.all_arrived)
    await rewind()
    async with running(service.consumers(), service.relay()):
        await until(lambda: _repeats(service) - before == 10)
        await rewind()  # while it runs: the next batch is fenced, loads and seeks again
        await service.write(["a"])
        await until(service.all_arrived)
        await service.check()
        assert _repeats(service) - before == 20
    assert (await service.positions())[0].next_offset == 11


def _repeats(service: Service) -> float:
    return REGISTRY.get_sample_value("anju_consumer_repeats_total", {"topic": service.topic}) or 0.0


async def test_two_readers_of_one_partition_do_not_double(new_service: Services) -> None:
    """Both believe that it is theirs, as after a pause of one: two groups in Kafka, one stored place."""
    service = await with_events(new_service, 3)
    async with running(service.relay(), service.consumers("1"), _Elsewhere(service)):
        for _ in range(30):
            await service.write(["a", "b"])
        await until(service.all_arrived)
        await service.check()


class _Elsewhere:
    """A consumer that Kafka gives the same partitions, for it is of another group, over the same rows of places."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reader = service.consumers()._kept[0].reader

    async def run(self) -> None:
        """Read for ever."""
        reading = Reading(self._service.kafka, "twin", self._reader)
        reading._subscriber.group_id = f"{self._service.group}-twin"
        await reading.run()
