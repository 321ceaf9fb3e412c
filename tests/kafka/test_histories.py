"""Consumers of histories against a real broker and database: each event once, in order, whatever the transport does."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition as Place

from chassis.data.db import DatabaseUnavailable
from chassis.data.tables import audit_entries
from chassis.events import histories, reading, relay
from chassis.events import kafka as transport
from chassis.events.logs import open_logs
from chassis.events.losses import NothingLost, accept_loss, find_loss
from chassis.events.relay_places import ask_again
from chassis.events.tables import consumer_positions, outbox_epoch
from chassis.run import metrics
from tests.kafka.conftest import Service, Services, running, with_events
from tests.parts import Kafka
from tests.waiting import until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wish is fulfilled, and a place moved by hand noticed, within a second."""
    monkeypatch.setattr(relay, "MEASURE_SECONDS", 0.5)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.5)


async def test_a_gap_is_held_reported_and_survives_a_restart(
    new_service: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await new_service(partitions=1)
    await service.write(["a", "a", "a", "a"])
    async with service.db.read() as tx:
        epoch = await tx.scalar(sa.select(outbox_epoch.c.epoch))
    send = await _sender(service)
    try:
        await send(epoch, 1)
        await send(epoch, 3)
        async with running(service.consumers()):
            await until(lambda: _gap_is_open(service))
        consumers = service.consumers()
        monkeypatch.setattr(histories, "GAP_SECONDS", 0.1)
        async with running(consumers):
            await until(lambda: any(f"record {epoch}.2 has been missing" in each for each in consumers.health()))
            seconds = metrics.CONSUMER_GAP_SECONDS.labels(service.topic, "0")
            await until(lambda: seconds._value.get() > 0)
            assert await service.effects() == [("a", 1)]
            # The first of a newer epoch does not paper over what is missing of this one.
            await send(epoch + 1, 1, number=4)
            for number in (2, 3):
                await send(epoch, number)
            await send(epoch + 1, 1, number=4)
            await until(service.all_arrived)
            await service.check()
            await until(lambda: consumers.health() == [])
    finally:
        await send.close()


async def _gap_is_open(service: Service) -> bool:
    return any(row.gap_since is not None for row in (await service.positions()).values())


class _Sender:
    """Sends events of a service's topic by hand, with any number."""

    def __init__(self, service: Service, producer: AIOKafkaProducer) -> None:
        self._service, self._producer = service, producer

    async def __call__(self, epoch: int, sequence: int, *, number: int | None = None) -> None:
        value = self._service.emission("a", number or sequence).value(epoch)
        headers = [("ce_sequence", f"{epoch}.{sequence}".encode())]
        await self._producer.send_and_wait(self._service.topic, value, key=b"a", headers=headers)

    async def junk(self) -> None:
        """What a stranger wrote."""
        await self._producer.send_and_wait(self._service.topic, b"\xff\x00", key=b"?", headers=[("ce_sequence", b"x")])

    async def close(self) -> None:
        """End the producer."""
        await self._producer.stop()


async def _sender(service: Service) -> _Sender:
    producer = AIOKafkaProducer(**service.kafka.connection("by-hand", 5000))
    await producer.start()
    return _Sender(service, producer)


async def test_a_record_without_a_number_moves_the_offset_alone(new_service: Services) -> None:
    service = await with_events(new_service, 2)
    sender = await _sender(service)
    await sender.junk()
    await sender.close()
    async with running(service.relay(), service.consumers()):
        await service.write(["a"])
        await until(service.all_arrived)
        await service.check()
    place = (await service.positions())[0]
    assert (place.next_offset, place.sequence, place.gap_since) == (4, 3, None)


async def test_a_batch_that_outlasts_its_transaction_is_tried_in_smaller_ones(
    new_service: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends a long transaction: the same batch again would be ended again, for ever."""
    service = await with_events(new_service, 40)
    sizes: list[int] = []
    handle_in_time = histories.each(service.handle)

    async def handle(tx: Any, records: Any) -> Any:
        sizes.append(len(records))
        if len(records) > 15:
            raise DatabaseUnavailable
        return await handle_in_time(tx, records)

    monkeypatch.setattr("tests.kafka.conftest.each", lambda _: handle)
    async with running(service.relay()):
        await until(service.all_sent)
    async with running(service.consumers()):
        await until(service.all_arrived)
        await service.check()
    assert max(sizes) > 15 >= sizes[-1]


async def _cut(kafka: Kafka, topic: str, before: int) -> None:
    """Let retention take everything before an offset."""
    place = Place(topic, 0, before)
    await asyncio.to_thread(kafka.admin.delete_records([place])[place].result, 30)


async def test_a_log_that_was_cut_before_the_first_contact(kafka: Kafka, new_service: Services) -> None:
    service = await with_events(new_service)
    await _cut(kafka, service.topic, 6)
    async with running(service.relay(), service.consumers()):
        await service.write(["a"])
        await until(lambda: _numbers(service, [7, 8, 9, 10, 11]))


async def _numbers(service: Service, expected: list[int]) -> bool:
    return [number for _, number in await service.effects()] == expected


async def test_a_whole_log_begins_with_number_one(new_service: Services) -> None:
    service = await new_service(partitions=1)
    service.written["a"] = 2
    sender = await _sender(service)
    await sender(5, 2)
    consumers = service.consumers()
    async with running(consumers):
        await until(lambda: _gap_is_open(service))
        assert await service.effects() == []
        await sender(5, 1)
        await sender(5, 2)
        await until(service.all_arrived)
        await service.check()
    await sender.close()


async def test_records_lost_to_retention_are_reported_and_not_skipped(kafka: Kafka, new_service: Services) -> None:
    service = await with_events(new_service, 3)
    async with running(service.consumers()):
        await until(service.all_arrived)
    async with running(service.relay()):
        for _ in range(5):
            await service.write(["a"])
        await until(service.all_sent)
    await _cut(kafka, service.topic, 6)
    consumers = service.consumers()
    lost = (
        f"{service.topic}[0]: records 3 to 5 were lost to retention before they were read;"
        f" `anju outbox republish {service.topic} {service.topic} --partition 0 --from {await _epoch(service)}.4`,"
        f" then `anju consumers accept-loss {service.name} {service.topic} 0`"
    )
    async with running(consumers):
        await until(lambda: lost in consumers.health())
        assert await _numbers(service, [1, 2, 3])
        assert (await service.positions())[0].next_offset == 3
        await _accept(service, sequences=3, goes_on=7)
        await until(lambda: _numbers(service, [1, 2, 3, 7, 8]))
        await until(lambda: consumers.health() == [])
    with pytest.raises(NothingLost):
        await find_loss(service.db, service.kafka, service.topic, 0)


async def _accept(service: Service, *, sequences: int, goes_on: int) -> None:
    """Find the loss, change nothing, then accept it."""
    found = await find_loss(service.db, service.kafka, service.topic, 0)
    assert (found.sequences, found.whole, found.goes_on_with) == (sequences, True, f"{await _epoch(service)}.{goes_on}")
    now = datetime.now(UTC)
    accepted = await accept_loss(service.db, service.kafka, service.topic, 0, actor="nobody", now=now)
    assert accepted == found
    async with service.db.read() as tx:
        entries = await tx.all(sa.select(audit_entries))
    assert [(each.action, each.detail["sequences"]) for each in entries][-1] == ("events.loss-accepted", sequences)


async def _epoch(service: Service) -> int:
    async with service.db.read() as tx:
        epoch: int = await tx.scalar(sa.select(outbox_epoch.c.epoch))
    return epoch


async def test_what_retention_took_may_still_be_in_the_outbox(kafka: Kafka, new_service: Services) -> None:
    """A reader that stopped past retention: what is republished is not lost, and accepting the loss loses nothing."""
    service = await with_events(new_service, 3)
    async with running(service.consumers()):
        await until(service.all_arrived)
    async with running(service.relay()):
        for _ in range(5):
            await service.write(["a"])
        await until(service.all_sent)
        await _cut(kafka, service.topic, 6)
        async with service.db.transaction() as tx:
            await ask_again(tx, service.topic, [0], (await _epoch(service), 4))
        async with running(service.consumers()):
            await until(lambda: _ends_at(service, 13))
            await _accept(service, sequences=0, goes_on=4)
            await until(service.all_arrived)
            await service.check()


async def _ends_at(service: Service, end: int) -> bool:
    async with open_logs(service.kafka) as logs:
        (span,) = (await logs.spans(await logs.places([service.topic]))).values()
    return span.end == end


async def test_a_gap_that_nobody_can_close_is_accepted(new_service: Services) -> None:
    service = await new_service(partitions=1)
    epoch = await _epoch(service)
    send = await _sender(service)
    for sequence in (1, 2, 5, 6, 8):
        await send(epoch, sequence)
    async with running(service.consumers()):
        await until(lambda: _gap_is_open(service))
        await until(lambda: _read_to(service, 5))
        await _accept(service, sequences=2, goes_on=5)
        await until(lambda: _numbers(service, [1, 2, 5, 6]))
        await until(lambda: _read_to(service, 5))
        await _accept(service, sequences=1, goes_on=8)
        await until(lambda: _numbers(service, [1, 2, 5, 6, 8]))
    await send.close()


async def _read_to(service: Service, offset: int) -> bool:
    return bool((await service.positions())[0].next_offset == offset)


async def test_a_log_that_ends_before_the_place_is_read_from_its_start(new_service: Services) -> None:
    service = await with_events(new_service, 3)
    async with running(service.consumers()):
        await until(service.all_arrived)
    async with service.db.transaction() as tx:
        await tx.execute(sa.update(consumer_positions).values(next_offset=9))
    async with running(service.relay(), service.consumers()):
        await service.write(["a"])
        await until(service.all_arrived)
        await service.check()
    assert (await service.positions())[0].next_offset == 4


async def test_a_transient_error_holds_and_is_tried_again(new_service: Services) -> None:
    service = await with_events(new_service)
    handle, failures = service.handle, 0

    async def fail_twice(tx: Any, record: Any) -> None:
        nonlocal failures
        await handle(tx, record)
        if record.sequence == 5 and failures < 2:
            failures += 1
            raise ConnectionError("a part of the service is away")

    service.handle = fail_twice  # type: ignore[method-assign]
    async with running(service.consumers()):
        await until(service.all_arrived)
        await service.check()
    assert failures == 2


async def test_the_transport_is_set_on_what_runs(new_service: Services) -> None:
    service = await with_events(new_service, 1)
    consumers = service.consumers()
    async with running(consumers):
        await until(service.all_arrived)
        reading = consumers._kept[0].reading
        assert reading is not None
        consumer = reading._consumer
        assert consumer._enable_auto_commit is False
        assert consumer._auto_offset_reset == "none"
        assert consumer._group_instance_id == f"test.{service.group}.{service.topic}.1"
        assert transport.client_id(service.kafka, service.group, service.topic) in await transport.members(
            service.kafka, service.group
        )
