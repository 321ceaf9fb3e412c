"""The relay against a real broker: order, numbers, and every way in which sending can go wrong."""

import asyncio
import random
import string
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from chassis.data.db import DatabaseUnavailable
from chassis.events import kafka as transport
from chassis.events import relay
from chassis.events.kafka import partition_of
from chassis.events.records import RawRecord, sequence_of
from chassis.events.relay_rows import forget
from chassis.events.tables import outbox, relay_mark, relay_partitions
from tests.kafka.conftest import Service, Services, running
from tests.parts import Kafka
from tests.waiting import until


async def read_log(service: Service, partitions: int) -> dict[int, list[RawRecord]]:
    """All records of the service's topic, by partition."""
    reader = transport.reader(service.kafka)
    await reader.start()
    try:
        places = [TopicPartition(service.topic, each) for each in range(partitions)]
        reader.assign(places)
        ends = await reader.end_offsets(places)
        log: dict[int, list[RawRecord]] = {each: [] for each in range(partitions)}
        for place in places:
            reader.seek(place, 0)
        while sum(len(found) for found in log.values()) < sum(ends.values()):
            for place, found in (await reader.getmany(timeout_ms=1000)).items():
                log[place.partition] += found
        return log
    finally:
        await transport.close_consumer(reader)


async def test_order_numbers_and_partitions(new_service: Services) -> None:
    service = await new_service(partitions=3)
    keys = [f"stay-{number}" for number in range(20)]
    async with running(service.relay()):
        for _ in range(5):
            await service.write(keys)
        await until(service.all_sent)

    log = await read_log(service, 3)
    async with service.db.read() as tx:
        rows = await tx.all(sa.select(outbox).order_by(outbox.c.relay_number))
        standing = {row.partition: row for row in await tx.all(sa.select(relay_partitions))}
    assert [row.relay_number for row in rows] == list(range(1, 101))
    for partition, records in log.items():
        epoch = rows[0].epoch
        assert [sequence_of(record) for record in records] == [(epoch, n) for n in range(1, len(records) + 1)]
        assert all(partition_of((record.key or b"").decode(), 3) == partition for record in records)
        acknowledged = standing[partition]
        assert (acknowledged.acknowledged_sequence, acknowledged.acknowledged_offset) == (
            len(records),
            records[-1].offset,
        )
        by_key = [(row.key, row.sequence) for row in rows if row.partition == partition]
        assert by_key == [((record.key or b"").decode(), n) for n, record in enumerate(records, 1)]


async def test_headers_are_those_of_cloudevents(new_service: Services) -> None:
    service = await new_service(partitions=1)
    async with running(service.relay()):
        await service.write(["one"])
        await until(service.all_sent)
    (record,) = (await read_log(service, 1))[0]
    async with service.db.read() as tx:
        row = (await tx.all(sa.select(outbox)))[0]
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": str(row.event_id).encode(),
        "ce_type": b"anju.test.counted.v1",
        "ce_source": b"/anju/test",
        "ce_sequence": f"{row.epoch}.1".encode(),
    }
    assert record.value == b'{"number":1,"padding":"","broken":false}'


async def test_the_trace_of_a_sampled_request_travels_along(new_service: Services) -> None:
    service = await new_service(partitions=1)
    context = SpanContext(trace_id=10, span_id=11, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    with trace.use_span(NonRecordingSpan(context)):
        await service.write(["one"])
    async with running(service.relay()):
        await until(service.all_sent)
    (record,) = (await read_log(service, 1))[0]
    assert dict(record.headers)["ce_traceparent"] == f"00-{10:032x}-{11:016x}-01".encode()


async def test_partial_failure_is_sent_again_from_the_mark(
    new_service: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record of a partition is refused and the next delivered: the consumer holds the gap, the relay closes it."""
    monkeypatch.setattr(transport, "MAX_BATCH_BYTES", 1)  # each record travels alone
    refusing = _RefuseSecond()
    monkeypatch.setattr(AIOKafkaProducer, "send_batch", refusing.send_batch)
    service = await new_service(partitions=1)
    await service.write(["a", "b", "c"])
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await until(lambda: _has_gap(service))
        assert await service.effects() == [("a", 1)]
        assert await _log_length(service, 2)  # a and c stand in the log
        refusing.mended = True
        await until(service.all_arrived)
        await service.check()
        assert [key for key, _ in await service.effects()] == ["a", "b", "c"]
        await until(service.all_sent)
        await until(lambda: _is_not(_has_gap(service)))
    # a and c stand there twice at least: that is what the consumer had to drop.
    assert len((await read_log(service, 1))[0]) >= 5


class _RefuseSecond:
    """A broker's refusal of the second batch, as it reaches the caller; what follows is sent."""

    def __init__(self) -> None:
        self.mended = False
        self._send_batch = AIOKafkaProducer.send_batch
        self._calls = 0

    @property
    def send_batch(self) -> Any:
        async def send_batch(producer: AIOKafkaProducer, *args: Any, **kwargs: Any) -> Any:
            self._calls += 1
            if self._calls % 3 != 2 or self.mended:
                return await self._send_batch(producer, *args, **kwargs)  # type: ignore[no-untyped-call]
            refused = asyncio.get_running_loop().create_future()
            refused.set_exception(MessageSizeTooLargeError())
            return refused

        return send_batch


async def test_a_record_that_kafka_refuses_holds_its_outbox(kafka: Kafka, new_service: Services) -> None:
    service = await new_service(partitions=3, max_message_bytes="20000")
    # Incompressible and larger than a batch: it travels alone, between others of its partition.
    too_large = "".join(random.Random(1).choices(string.printable[:90], k=300_000))
    keys = [f"stay-{number}" for number in range(9)]
    await service.write(keys)
    await service.write(keys[:1], padding=too_large)
    await service.write(keys)
    relay = service.relay()
    async with running(relay, service.consumers()):
        await until(lambda: relay._tried == 19)
        await _set_topic(kafka, service.topic, "max.message.bytes", "1000000")
        await until(service.all_arrived)
        await service.check()
        await until(service.all_sent)


async def _has_gap(service: Service) -> bool:
    return any(row.gap_since is not None for row in (await service.positions()).values())


async def _is_not(answer: Awaitable[bool]) -> bool:
    return not await answer


async def _set_topic(kafka: Kafka, topic: str, name: str, value: str) -> None:
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    await asyncio.to_thread(kafka.admin.incremental_alter_configs([resource])[resource].result, 30)


async def test_a_zombie_relay_is_fenced(new_service: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay freezes inside a send and loses its lock; the next one takes over; then the first goes on."""
    # A frozen process does not notice that its lock is gone.
    monkeypatch.setattr(relay, "CONFIRM_SECONDS", 60.0)
    service = await new_service(partitions=1)
    frozen, thaw = asyncio.Event(), asyncio.Event()
    zombie, heir = service.relay(), service.relay()
    send = zombie._sending.send

    async def freeze(rows: object) -> object:
        frozen.set()
        await thaw.wait()
        return await send(rows)  # type: ignore[arg-type]

    zombie._sending.send = freeze  # type: ignore[method-assign, assignment]
    await service.write(["a", "b", "a"])
    async with running(zombie):
        await frozen.wait()
        await _end_lock_sessions(service)
        async with running(heir, service.consumers()):
            await until(service.all_arrived)
            thaw.set()
            # What the zombie sends are repeats; its mark does not move, and it goes back to wait for the lock.
            await until(lambda: _log_length(service, 6))
            await service.write(["b", "a"])
            await until(service.all_arrived)
            await service.check()
            await until(service.all_sent)
    async with service.db.read() as tx:
        mark = (await tx.all(sa.select(relay_mark)))[0]
    assert (mark.numbered, mark.sent) == (5, 5)


async def _log_length(service: Service, length: int) -> bool:
    return len((await read_log(service, 1))[0]) >= length


async def _end_lock_sessions(service: Service) -> None:
    url = service.db._url
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
            "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        )
    finally:
        await connection.close()


async def test_a_copy_whose_turn_does_not_come_says_that_nobody_sends(new_service: Services) -> None:
    service = await new_service(partitions=1)
    await service.write(["a"])
    async with service.db.transaction() as tx:
        await tx.execute(sa.update(outbox).values(created_at=datetime.now(UTC) - timedelta(seconds=40)))
    waiting = service.relay()
    async with AsyncExitStack() as until_said:
        await until_said.enter_async_context(service.db.exclusive("relay"))
        async with running(waiting):
            await until(lambda: any("the oldest event has waited 4" in each for each in waiting.health()))
            await until_said.aclose()
            await until(service.all_sent)
            await until(lambda: not waiting.health())


async def test_the_relay_outlives_its_database_sessions(new_service: Services) -> None:
    service = await new_service(partitions=2)
    async with running(service.relay(), service.consumers()):
        for _ in range(5):
            await _write_once_reached(service)
            connection = await asyncpg.connect(service.db._url)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await connection.close()
        await _write_once_reached(service)
        await until(service.all_arrived)
        await service.check()


async def _write_once_reached(service: Service) -> None:
    """As a desk does: what was told that the database is not reached, and so not carried out, is sent again."""

    async def written() -> bool:
        before = dict(service.written)
        try:
            await service.write(["a", "b", "c", "d"])
        except DatabaseUnavailable:
            service.written = before
            return False
        return True

    await until(written)


async def test_two_copies_send_once(new_service: Services) -> None:
    service = await new_service(partitions=2)
    async with running(service.relay(), service.relay()):
        for _ in range(10):
            await service.write(["a", "b", "c", "d"])
        await until(service.all_sent)
    assert sum(len(found) for found in (await read_log(service, 2)).values()) == 40


async def test_old_rows_go_once_they_were_sent(new_service: Services) -> None:
    service = await new_service(partitions=1)
    async with running(service.relay()):
        await service.write(["a", "b", "c"])
        await until(service.all_sent)
    await service.write(["d"])
    async with service.db.transaction() as tx:
        eight_days_ago = sa.func.clock_timestamp() - sa.text("interval '8 days'")
        await tx.execute(sa.update(outbox).where(outbox.c.key != "c").values(created_at=eight_days_ago))
    async with service.db.transaction() as tx:
        assert await forget(tx, datetime.now(UTC) - timedelta(days=7), 500) == 2
    async with service.db.read() as tx:
        kept = [row.key for row in await tx.all(sa.select(outbox.c.key).order_by(outbox.c.id))]
    assert kept == ["c", "d"]
