"""What is done when Kafka has lost something: kept rows are sent again, the rest is reported, consumers go on."""

import pytest
import sqlalchemy as sa

from chassis.events import histories, reading, relay, relay_places
from chassis.events.tables import outbox, relay_partitions
from tests.kafka.conftest import Databases, Service, Services, made_anew, running, with_events
from tests.parts import Kafka
from tests.waiting import until

KEYS = [f"stay-{number}" for number in range(9)]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens within a minute happens within a second."""
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(relay, "MEASURE_SECONDS", 0.5)
    monkeypatch.setattr(histories, "LOOK_BACK_SECONDS", 0.5)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.5)


async def _newcomer(service: Service, new_database: Databases) -> Service:
    """Another service that reads the topic for the first time: it sees what stands there."""
    return Service(await new_database(), service.kafka, service.topic, f"{service.group}-new", written=service.written)


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "writing"])
async def test_a_history_made_anew_under_a_relay_that_runs(
    kafka: Kafka, new_service: Services, new_database: Databases, monkeypatch: pytest.MonkeyPatch, *, idle: bool
) -> None:
    if not idle:  # then the next acknowledgement tells, and nobody needs to look
        monkeypatch.setattr(relay, "LOOK_SECONDS", 3600.0)
    service = await new_service(partitions=3)
    async with running(service.relay(), service.consumers()):
        for _ in range(3):
            await service.write(KEYS)
        await until(service.all_arrived)
        await made_anew(kafka, service.topic, partitions=3)
        if not idle:
            await service.write(KEYS)
        newcomer = await _newcomer(service, new_database)
        async with running(newcomer.consumers()):
            await until(newcomer.all_arrived, 60)
            await newcomer.check()
            await service.write(KEYS)
            await until(newcomer.all_arrived, 60)
            await until(service.all_arrived, 60)
        await newcomer.check()
        await service.check()


async def test_a_history_made_anew_while_nothing_ran(
    kafka: Kafka, new_service: Services, new_database: Databases
) -> None:
    """The consumer was behind: what it had not read comes from the outbox."""
    service = await with_events(new_service, 8)
    async with running(service.consumers()):
        await until(service.all_arrived)
    async with running(service.relay()):
        for _ in range(8):
            await service.write(["a"])
        await until(service.all_sent)
    await made_anew(kafka, service.topic, partitions=1)
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await until(service.all_arrived, 60)
        await service.check()
        await service.write(["a"])
        await until(service.all_arrived)
        await service.check()
        await until(lambda: consumers.health() == [])
    newcomer = await _newcomer(service, new_database)
    async with running(newcomer.consumers()):
        await until(newcomer.all_arrived)
        await newcomer.check()


async def test_what_is_not_kept_any_more_is_reported(kafka: Kafka, new_service: Services) -> None:
    service = await with_events(new_service, 8)
    async with running(service.consumers()):
        await until(service.all_arrived)
    async with service.db.transaction() as tx:
        await tx.execute(sa.delete(outbox).where(outbox.c.sequence <= 5))
    await made_anew(kafka, service.topic, partitions=1)
    sender = service.relay()
    async with running(sender, service.consumers()):
        await until(lambda: any("5 records were lost in Kafka" in each for each in sender.health()))
        await service.write(["a"])
        await until(service.all_arrived)
        await service.check()
        assert await relay_places.losses(service.db) == [relay_places.Lost(service.topic, 0, 5)]
        async with service.db.transaction() as tx:
            assert await relay_places.accept_losses(tx) == [relay_places.Lost(service.topic, 0, 5)]
        await until(lambda: sender.health() == [])
    async with running(sender):
        await service.write(["a"])
        await until(service.all_sent)
        assert await relay_places.losses(service.db) == [], "counted once"


async def test_a_new_log_of_the_same_length_is_noticed(kafka: Kafka, new_service: Services) -> None:
    """Its last record stands where the old one stood: only the number tells."""
    service = await with_events(new_service, 4)
    async with running(service.consumers()):
        await until(service.all_arrived)
    await made_anew(kafka, service.topic, partitions=1)
    other = await _stranger(service, 6)
    assert other == 6
    async with running(service.relay()):
        await until(lambda: _resent_to(service, 9))
    async with running(service.relay(), service.consumers()):
        await service.write(["a"])
        await until(service.all_arrived)
        await service.check()


async def _stranger(service: Service, count: int) -> int:
    """Fill the log with records of somebody else, who takes no numbers."""
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(**service.kafka.connection("stranger", 5000))
    await producer.start()
    for _ in range(count):
        await producer.send_and_wait(service.topic, b"?", key=b"?")
    await producer.stop()
    return count


async def _resent_to(service: Service, offset: int) -> bool:
    async with service.db.read() as tx:
        standing = await tx.scalar(sa.select(relay_partitions.c.acknowledged_offset))
    return bool(standing == offset)


async def test_a_wish_mends_a_gap(new_service: Services) -> None:
    """Records vanish between log and reader: the reader holds, somebody asks for them, nothing comes twice."""
    service = await with_events(new_service, 6)
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await until(service.all_arrived)
        async with service.db.transaction() as tx:
            # The reader believes that it has read on while it took nothing: what a bug or a hand in the database does.
            await tx.execute(sa.text("UPDATE consumer_positions SET claim = claim + 1, sequence = 3, epoch = epoch"))
            await tx.execute(sa.text("DELETE FROM effects WHERE number > 3"))
        histories.LOOK_BACK_SECONDS = 1e9
        await service.write(["a"])
        await until(lambda: _gap(service))
        async with service.db.transaction() as tx:
            (asked,) = await relay_places.ask_again(tx, service.topic, None, (await _epoch(service), 4))
        assert (asked.partition, asked.first[1], asked.count) == (0, 4, 4)
        await until(service.all_arrived)
        await service.check()
        await until(lambda: consumers.health() == [])


async def _epoch(service: Service) -> int:
    async with service.db.read() as tx:
        epoch: int = await tx.scalar(sa.text("SELECT epoch FROM outbox_epoch"))
    return epoch


async def _gap(service: Service) -> bool:
    return any(row.gap_since is not None for row in (await service.positions()).values())


async def test_a_gap_is_looked_for_from_the_start(new_service: Services) -> None:
    """The missing records stand before the place, as in a topic made anew and filled again while nobody looked."""
    service = await with_events(new_service, 6)
    async with running(service.relay(), service.consumers()):
        await until(service.all_arrived)
    async with service.db.transaction() as tx:
        await tx.execute(sa.text("UPDATE consumer_positions SET sequence = 3"))
        await tx.execute(sa.text("DELETE FROM effects WHERE number > 3"))
    consumers = service.consumers()
    async with running(service.relay(), consumers):
        await service.write(["a"])
        await until(service.all_arrived)
        await service.check()
        await until(lambda: consumers.health() == [])
