"""Consumers of states against a real broker: newer versions only, read from the start, vanished keys dropped."""

from collections.abc import Collection

import orjson
import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer, ConsumerRecord

from chassis.events import kafka as kafka_module
from chassis.events import reading, relay, states
from chassis.events.dead_letters import list_, replay
from chassis.events.kafka import partition_of
from chassis.events.logs import open_logs
from chassis.events.positions import Fenced
from chassis.events.records import RawRecord
from chassis.events.relay import Relay
from chassis.events.states import StateReader
from chassis.events.tables import consumer_positions
from tests.kafka.conftest import made_anew, running
from tests.kafka.registry import Registry, places
from tests.parts import Kafka
from tests.waiting import until


async def test_newest_versions_and_ends(registry: Registry) -> None:
    async with running(Relay(registry.db, registry.kafka, "test"), registry.consumers()):
        for number in range(1, 4):
            for key in "abcdef":
                await registry.publish(key, number, f"{key}{number}")
        await registry.publish("f", 4, None)
        await until(lambda: registry.keeps({key: f"{key}3" for key in "abcde"}))
    async with registry.db.read() as tx:
        epochs = {row.epoch for row in await tx.all(sa.select(places))}
        assert epochs == {await tx.scalar(sa.text("SELECT epoch FROM outbox_epoch"))}


async def test_an_older_version_that_comes_again_changes_nothing(registry: Registry) -> None:
    async with running(Relay(registry.db, registry.kafka, "test"), registry.consumers()):
        await registry.publish("a", 2, "new")
        await until(lambda: registry.keeps({"a": "new"}))
        await registry.publish("a", 1, "old")
        await registry.publish("z", 1, "last")
        await until(lambda: registry.keeps({"a": "new", "z": "last"}))
        await registry.publish("a", 3, "newer")
        await until(lambda: registry.keeps({"a": "newer", "z": "last"}))


async def test_it_is_read_from_the_start_and_vanished_keys_are_dropped(registry: Registry) -> None:
    keys = [f"place-{number}" for number in range(20)]
    async with running(Relay(registry.db, registry.kafka, "test"), registry.consumers()):
        for key in keys:
            await registry.publish(key, 1, "first")
        await until(lambda: registry.keeps(dict.fromkeys(keys, "first")))
    # A copy that went astray: rows that are not in the log, wrong ones, missing ones.
    async with registry.db.transaction() as tx:
        for number in range(10):
            await tx.execute(sa.insert(places).values(key=f"ghost-{number}", epoch=1, number=1, name="ghost"))
        await tx.execute(sa.update(places).where(places.c.key == keys[0]).values(epoch=1, name="wrong"))
        await tx.execute(sa.delete(places).where(places.c.key == keys[1]))
    async with running(registry.consumers()):
        await until(lambda: registry.keeps(dict.fromkeys(keys, "first")))


async def test_a_log_that_was_never_written_says_nothing_of_anybody(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a topic that was made anew and that its publisher has not filled yet; of one that it has filled all counts."""
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.2)
    async with registry.db.transaction() as tx:
        await tx.execute(sa.insert(places).values(key="ghost", epoch=1, number=1, name="ghost"))
    consumers = registry.consumers()
    async with running(Relay(registry.db, registry.kafka, "test"), consumers):
        await until(lambda: consumers.health() == [])
        assert await registry.kept() == {"ghost": "ghost"}
        other = next(key for key in map(str, range(100)) if partition_of(key, 3) == partition_of("ghost", 3))
        await registry.publish(other, 1, "there")
        await until(lambda: registry.keeps({other: "there"}))


async def test_a_topic_made_anew_never_empties_the_copy(
    kafka: Kafka, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of it is written anew before the rest: whoever reads it then goes on with what it has."""
    monkeypatch.setattr(states, "DROP_SECONDS", 60.0)
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(kafka_module, "METADATA_MAX_AGE_MS", 500)
    keys = [f"place-{number}" for number in range(30)]
    everything = dict.fromkeys(keys, "first")
    seen: list[set[str]] = []
    async with running(registry.relay(), registry.consumers()):
        for key in keys:
            await registry.change(key, "first")
        await until(lambda: registry.keeps(everything))
        await made_anew(kafka, registry.topic, partitions=3, compacted=True)
        await registry.change(keys[0], "second")

        async def filled() -> bool:
            seen.append(set(await registry.kept()))
            return len(await records_of(registry)) >= len(keys)

        await until(filled, 60)
        await until(lambda: registry.keeps(everything | {keys[0]: "second"}), 60)
    assert all(each == set(keys) for each in seen), "nobody was told that a place has ended"


async def records_of(registry: Registry) -> set[str]:
    """Keys that stand in the topic."""
    async with open_logs(registry.kafka) as logs:
        spans = await logs.spans(await logs.places([registry.topic]))
        return {(raw.key or b"").decode() async for _place, raws in logs.read(spans) for raw in raws}


async def test_a_reader_that_was_overtaken_drops_nothing(registry: Registry) -> None:
    """Two readers of one partition, as after a pause of the first: only the later one may say what has vanished."""
    async with registry.db.transaction() as tx:
        await tx.execute(sa.insert(places).values(key="ghost", epoch=1, number=1, name="ghost"))
    partition = partition_of("ghost", 3)

    async def bounds(_: Collection[int] | None) -> dict[int, tuple[int, int]]:
        return dict.fromkeys(range(3), (0, 1))

    raw = _raw(registry.topic, partition, b"other", b'{"name":"there","version":"1.1"}')
    first, second = StateReader(registry.db, registry.subscription()), StateReader(registry.db, registry.subscription())
    assert await first.load([partition], bounds) == {partition: 0}
    assert await second.load([partition], bounds) == {partition: 0}
    with pytest.raises(Fenced):
        await first.take({partition: [raw]})
    assert await registry.kept() == {"ghost": "ghost"}
    await second.take({partition: [raw]})
    assert await registry.kept() == {"other": "there"}


def _raw(topic: str, partition: int, key: bytes, value: bytes) -> RawRecord:
    return ConsumerRecord(topic, partition, 0, 0, 0, key, value, None, len(key), len(value), ())


async def test_a_bad_record_is_put_aside_and_replayed(registry: Registry) -> None:
    producer = AIOKafkaProducer(**registry.kafka.connection("stranger", 5000))
    await producer.start()
    for value in (b"{", b"[]", orjson.dumps({"version": "none"})):
        await producer.send_and_wait(registry.topic, value, key=b"a", partition=0)
    await producer.stop()
    registry.refused = "bad"
    async with running(Relay(registry.db, registry.kafka, "test"), registry.consumers()):
        await registry.publish("b", 1, "bad")
        await registry.publish("c", 1, "good")
        await until(lambda: registry.keeps({"c": "good"}))
        await until(lambda: _letters(registry, 4))
    reasons = {letter.reason: letter for letter in await list_(registry.db)}
    assert set(reasons) == {"invalid-value", "unreadable-version", "refused"}
    registry.refused = ""
    await replay(registry.db, registry.kafka, reasons["refused"].id, registry.consumers().replay_of)
    assert await registry.kept() == {"b": "bad", "c": "good"}


async def _letters(registry: Registry, count: int) -> bool:
    return len(await list_(registry.db)) == count


async def test_the_claim_grows_with_each_reading(registry: Registry) -> None:
    for number in range(1, 3):
        async with running(registry.consumers()):
            await until(lambda number=number: _claims(registry, number))  # type: ignore[misc]


async def _claims(registry: Registry, claim: int) -> bool:
    async with registry.db.read() as tx:
        claims = [row.claim for row in await tx.all(sa.select(consumer_positions))]
    return claims == [claim] * 3
