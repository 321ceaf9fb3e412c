"""States compared with their topics: whatever the topic lacks, has wrong or has too much comes right by itself."""

import asyncio

import orjson
import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition as Place

from chassis.events import relay
from chassis.events.comparison import Compared, compare
from chassis.events.standing import KafkaAhead
from chassis.events.tables import outbox
from tests.kafka.conftest import made_anew, running
from tests.kafka.registry import Registry, own_places
from tests.parts import Kafka
from tests.waiting import until

KEYS = [f"place-{number}" for number in range(12)]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens within a minute happens within a second."""
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.5)


async def _filled(registry: Registry) -> None:
    for key in KEYS:
        await registry.change(key, "first")
        await registry.change(key, f"second of {key}")
    await registry.change(KEYS[-1], None)


async def _is_copied(registry: Registry) -> bool:
    return await registry.kept() == await registry.names()


async def test_nothing_to_do_where_both_agree(registry: Registry) -> None:
    async with running(registry.relay()):
        await _filled(registry)
        assert len(await compare(registry.db, registry.kafka, registry.published())) == 1
        await until(lambda: _all_sent(registry))
        done = await compare(registry.db, registry.kafka, registry.published())
    assert done == [Compared(registry.topic, len(KEYS) - 1, 0, 0)]


async def _all_sent(registry: Registry) -> bool:
    async with registry.db.read() as tx:
        waiting = await tx.scalar(
            sa.text("SELECT count(*) FROM outbox, relay_mark WHERE relay_number IS NULL OR relay_number > sent")
        )
    return bool(waiting == 0)


@pytest.mark.parametrize("running_relay", [True, False], ids=["under a relay", "while nothing ran"])
async def test_a_state_made_anew(kafka: Kafka, registry: Registry, *, running_relay: bool) -> None:
    async with running(registry.relay(), registry.consumers()):
        await _filled(registry)
        await until(lambda: _is_copied(registry))
        # Old rows are gone: the tables alone can fill the topic again.
        await until(lambda: _all_sent(registry))
        async with registry.db.transaction() as tx:
            await tx.execute(sa.delete(outbox))
        if running_relay:
            await _anew_and_empty(kafka, registry)
            await until(lambda: _is_copied(registry), 60)
    if not running_relay:
        await _anew_and_empty(kafka, registry)
    async with running(registry.relay(), registry.consumers()):
        await until(lambda: _is_copied(registry), 60)
        await registry.change(KEYS[0], "third")
        await until(lambda: _is_copied(registry), 60)


async def _anew_and_empty(kafka: Kafka, registry: Registry) -> None:
    await made_anew(kafka, registry.topic, partitions=3, compacted=True)
    async with registry.db.transaction() as tx:
        # Whatever the reader still holds of the old topic: it must come from the new one.
        await tx.execute(sa.text("DELETE FROM places"))
        await tx.execute(sa.text("UPDATE consumer_positions SET claim = claim + 1"))


async def test_a_state_whose_log_was_emptied(kafka: Kafka, registry: Registry) -> None:
    # Somebody changed the topic's policy: of a compacted one Kafka deletes nothing that is newest.
    registry.topic = await kafka.new_topic("state", partitions=3, cleanup_policy="compact,delete")
    async with running(registry.relay()):
        await _filled(registry)
        await until(lambda: _all_sent(registry))
        for partition in range(3):
            place = Place(registry.topic, partition, -1)  # to its end
            await asyncio.to_thread(kafka.admin.delete_records([place])[place].result, 30)
        async with running(registry.consumers()):
            await until(lambda: _is_copied(registry), 60)


async def test_what_the_topic_has_wrong(registry: Registry) -> None:
    async with running(registry.relay(), registry.consumers()):
        await _filled(registry)
        await until(lambda: _is_copied(registry))
        await until(lambda: _all_sent(registry))
    async with registry.db.transaction() as tx:
        epoch = await tx.scalar(sa.text("SELECT epoch FROM outbox_epoch"))
        # Lost on the way: a newer version of one, a whole new one, the end of another.
        await tx.execute(sa.update(own_places).where(own_places.c.key == KEYS[0]).values(version=3, name="third"))
        await tx.execute(sa.insert(own_places).values(key="new", version=1, name="new"))
        await tx.execute(sa.delete(own_places).where(own_places.c.key == KEYS[1]))
    await _by_hand(registry, "ghost", {"name": "nobody's", "version": f"{epoch - 1}.9"})
    (done,) = await compare(registry.db, registry.kafka, registry.published())
    assert (done.published, done.ended) == (2, 2)
    (again,) = await compare(registry.db, registry.kafka, registry.published())
    assert (again.published, again.ended) == (0, 0), "what is on its way is not published twice"
    async with running(registry.relay(), registry.consumers()):
        await until(lambda: _is_copied(registry))
        assert (await registry.kept())[KEYS[0]] == "third"


async def test_a_newer_version_in_this_epoch_stops_it(registry: Registry) -> None:
    async with running(registry.relay()):
        await _filled(registry)
        await until(lambda: _all_sent(registry))
    async with registry.db.read() as tx:
        epoch = await tx.scalar(sa.text("SELECT epoch FROM outbox_epoch"))
    await _by_hand(registry, KEYS[0], {"name": "later", "version": f"{epoch}.3"})
    with pytest.raises(KafkaAhead):
        await compare(registry.db, registry.kafka, registry.published())
    sender = registry.relay()
    async with running(sender):
        await until(lambda: any("anju recover test" in each for each in sender.health()))


async def _by_hand(registry: Registry, key: str, value: dict[str, str]) -> None:
    """Write into the topic as the relay of another life of the database would have."""
    from chassis.events.kafka import partition_of

    producer = AIOKafkaProducer(**registry.kafka.connection("by-hand", 5000))
    await producer.start()
    await producer.send_and_wait(registry.topic, orjson.dumps(value), key=key.encode(), partition=partition_of(key, 3))
    await producer.stop()
