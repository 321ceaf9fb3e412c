"""A service's database restored to an hour before: publisher and consumer, each with and without `recover`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries
from chassis.events import histories, reading, relay
from chassis.events.published import Published
from chassis.events.recovery import RelayRuns, Report, recover
from chassis.events.wake import Wake
from tests.kafka.conftest import Databases, Service, Services, running
from tests.kafka.registry import Registry, own_places
from tests.parts import Postgres
from tests.waiting import until

KEYS = [f"stay-{number}" for number in range(9)]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens within a minute happens within a second."""
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(relay, "REFUSAL_SECONDS", 0.2)
    monkeypatch.setattr(histories, "LOOK_BACK_SECONDS", 0.5)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.5)


async def _backup(postgres: Postgres, db: Database) -> str:
    """Copy a database as it is; nobody may be connected."""
    await db.dispose()
    return await postgres.copy_of(db._url)


@asynccontextmanager
async def _restored(backup: str) -> AsyncIterator[Database]:
    db = Database(backup, service="test")
    db.after_every_commit(Wake(db))
    try:
        yield db
    finally:
        await db.dispose()


async def _recover(db: Database, service: Service | Registry, published: Published, read: Sequence[str] = ()) -> Report:
    return await recover(
        db, service.kafka, "test", published, histories_read=read, actor="nobody", now=datetime.now(UTC)
    )


async def _reader(service: Service, new_database: Databases) -> Service:
    """A service that reads the topic into a database of its own."""
    reader = Service(await new_database(), service.kafka, service.topic, f"{service.group}-reader")
    reader.written = service.written
    return reader


async def _publish(service: Service, times: int) -> None:
    for _ in range(times):
        await service.write(KEYS)
    await until(service.all_sent)


async def test_a_restored_publisher_refuses_until_recover_and_then_goes_on(
    postgres: Postgres, new_service: Services, new_database: Databases
) -> None:
    service = await new_service(partitions=3)
    reader = await _reader(service, new_database)
    async with running(service.relay()):
        await _publish(service, 2)
        await service.write(KEYS)
    backup = await _backup(postgres, service.db)
    async with running(service.relay(), reader.consumers()):
        await _publish(service, 3)
        await until(reader.all_arrived)
    before = await reader.effects()
    async with _restored(backup) as db:
        restored = replace(service, db=db, written=dict(service.written))
        sender = restored.relay()
        async with running(sender, reader.consumers()):
            await until(lambda: any("`anju recover test`" in each for each in sender.health()))
            await restored.write(KEYS)
            # It refuses again and again; all the while nothing reaches the topic.
            refused_at = sender._refused_at
            await until(lambda: sender._refused_at != refused_at)
            assert await reader.effects() == before

            report = await _recover(db, restored, Published(histories=(service.topic,)))
            assert report.epoch > report.epoch_before
            assert sum(each.records for each in report.unknown) > 0
            await until(lambda: _has_all(reader, KEYS, 7))
            await until(lambda: sender.health() == [])
        async with db.read() as tx:
            (entry,) = await tx.all(sa.select(audit_entries))
        assert (entry.action, entry.actor, entry.subject) == ("events.recovered", "nobody", "test")
    # What was written before the backup and sent after it may come again, under its id; nothing else does.
    again = [each for each in await reader.effects() if each not in before]
    assert sorted(again) == sorted((key, 7) for key in KEYS)
    async with reader.db.read() as tx:
        doubled = await tx.all(
            sa.text(
                "SELECT key, number, count(DISTINCT event_id) AS ids FROM effects GROUP BY 1, 2 HAVING count(*) > 1"
            )
        )
    assert all(row.number == 3 and row.ids == 1 for row in doubled)


async def _has_all(reader: Service, keys: Sequence[str], number: int) -> bool:
    found = set(await reader.effects())
    return all((key, number) in found for key in keys)


async def test_a_publisher_whose_backup_is_the_present_needs_nothing(
    postgres: Postgres, new_service: Services, new_database: Databases
) -> None:
    service = await new_service(partitions=3)
    reader = await _reader(service, new_database)
    async with running(service.relay()):
        await _publish(service, 2)
    backup = await _backup(postgres, service.db)
    async with _restored(backup) as db:
        restored = replace(service, db=db)
        sender = restored.relay()
        async with running(sender, reader.consumers()):
            await restored.write(KEYS)
            await until(reader.all_arrived)
            await reader.check()
            assert sender.health() == []


@pytest.mark.parametrize("recovers", [False, True], ids=["without recover", "with recover"])
async def test_a_restored_consumer_takes_again_what_its_database_lacks(
    postgres: Postgres, new_service: Services, new_database: Databases, *, recovers: bool
) -> None:
    service = await new_service(partitions=3)
    reader = await _reader(service, new_database)
    async with running(service.relay()):
        async with running(reader.consumers()):
            await _publish(service, 2)
            await until(reader.all_arrived)
        backup = await _backup(postgres, reader.db)
        async with running(reader.consumers()):
            await _publish(service, 3)
            await until(reader.all_arrived)
        async with _restored(backup) as db:
            restored = replace(reader, db=db)
            assert await restored.count() == 2 * len(KEYS)
            if recovers:
                report = await _recover(db, restored, Published(), [service.topic])
                assert {each.finding for each in report.places} == {"well"}
            async with running(restored.consumers()):
                await _publish(service, 1)
                await until(restored.all_arrived)
                await restored.check()


async def test_a_reader_that_runs_notices_that_its_place_was_restored(new_service: Services) -> None:
    """Nothing new is published: without a look at its place it would wait at an offset of the lost hour."""
    service = await new_service(partitions=3)
    async with running(service.relay(), service.consumers()):
        await _publish(service, 2)
        await until(service.all_arrived)
        async with service.db.transaction() as tx:
            await tx.execute(sa.text("UPDATE consumer_positions SET next_offset = 0, epoch = 0, sequence = 0"))
            await tx.execute(sa.text("DELETE FROM effects"))
        await until(service.all_arrived)
        await service.check()


async def test_a_worker_that_sends_is_left_alone(new_service: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    from chassis.events import recovery

    monkeypatch.setattr(recovery, "LOCK_SECONDS", 1.0)
    service = await new_service(partitions=1)
    async with running(service.relay()):
        await _publish(service, 1)
        with pytest.raises(RelayRuns):
            await _recover(service.db, service, Published(histories=(service.topic,)))


async def test_recover_can_be_repeated(postgres: Postgres, new_service: Services, new_database: Databases) -> None:
    service = await new_service(partitions=3)
    reader = await _reader(service, new_database)
    async with running(service.relay()):
        await _publish(service, 2)
    published = Published(histories=(service.topic,))
    first = await _recover(service.db, service, published)
    second = await _recover(service.db, service, published)
    assert second.epoch > first.epoch
    assert (first.unknown, second.unknown, second.again) == ([], [], 0)
    async with running(service.relay(), reader.consumers()):
        await service.write(KEYS)
        await until(reader.all_arrived)
        await reader.check()


async def test_restored_states_refuse_and_come_to_what_their_table_says(
    postgres: Postgres, registry: Registry, new_database: Databases
) -> None:
    """Only states were published since the backup, so no number of a history tells."""
    copy = Registry(await new_database(), registry.kafka, registry.topic, registry.group)
    async with copy.db.engine.begin() as connection:
        await connection.run_sync(own_places.metadata.create_all)
    async with running(registry.relay()):
        for key in "abcdef":
            await registry.change(key, "first")
        await until(lambda: _all_sent(registry))
    backup = await _backup(postgres, registry.db)
    async with running(registry.relay(), copy.consumers()):
        await registry.change("a", "of a lost hour")
        await registry.change("b", None)
        await registry.change("new", "of a lost hour")
        await until(lambda: _equal(copy, registry))
    async with _restored(backup) as db:
        restored = replace(registry, db=db)
        # Before anybody looks it gives a version away that the lost hour had given away.
        await restored.change("a", "second")
        sender = restored.relay()
        async with running(sender, copy.consumers()):
            await until(lambda: any("`anju recover test`" in each for each in sender.health()))
            await restored.change("c", "second")
            report = await _recover(db, restored, restored.published())
            (state,) = report.states
            assert (state.published, state.ended) == (3, 1)
            await until(lambda: _equal(copy, restored))
            await restored.change("a", "third")
            await until(lambda: _equal(copy, restored))
        assert await copy.kept() == {"a": "third", "c": "second"} | dict.fromkeys("bdef", "first")


async def _all_sent(registry: Registry) -> bool:
    async with registry.db.read() as tx:
        waiting = sa.text("SELECT count(*) FROM outbox, relay_mark WHERE relay_number IS NULL OR relay_number > sent")
        return bool(await tx.scalar(waiting) == 0)


async def _equal(copy: Registry, publisher: Registry) -> bool:
    return await copy.kept() == await publisher.names()
