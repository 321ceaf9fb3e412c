"""A record that the database refuses: put aside, refused again as long as nothing is mended, replayed afterwards."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer

from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.consumers import Consumers
from chassis.events.dead_letters import DeadLetterError, list_, replay
from chassis.events.positions import standings
from contracts import topics
from services.alerts.consumers import DwellingReader
from services.alerts.storage.tables import dwellings
from services.registration import settings, wiring
from tests.command_line import anju, document, refused
from tests.kafka import hostile_states
from tests.kafka.conftest import Service, Services, running, settings_of
from tests.parts import Kafka, Postgres
from tests.service.alerts.conftest import DISTRICT, PACKS
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.usefixtures("own_logging")]

# What a release of ours forbids in the database by mistake, until the next one mends it.
TOO_MANY = 1_000
FORBID = "ALTER TABLE {} ADD CONSTRAINT mistaken CHECK ({} < 1000)"
MEND = "ALTER TABLE {} DROP CONSTRAINT mistaken"


async def _run(db: Database, statement: str) -> None:
    async with db.engine.begin() as connection:
        await connection.execute(sa.text(statement))


@pytest.fixture
async def service(new_service: Services, monkeypatch: pytest.MonkeyPatch) -> Service:
    """What stands for registration and its worker: it has read on behind an event that it could not store."""
    made = replace(await new_service(partitions=1), name="registration")
    made.written["x"] = TOO_MANY - 1
    await _run(made.db, FORBID.format("effects", "number"))
    async with running(made.relay(), made.consumers()):
        for key in ("a", "x", "a"):
            await made.write([key])
        await until(lambda: made.has(2))
    for name, value in (
        ("DATABASE_URL", made.db._url),
        ("KAFKA_BOOTSTRAP", made.kafka.bootstrap),
        ("KAFKA_USERNAME", made.kafka.username),
        ("KAFKA_PASSWORD", made.kafka.secret),
    ):
        monkeypatch.setenv(f"ANJU_REGISTRATION_{name}", value)
    monkeypatch.setattr(settings, "load", lambda: None)
    monkeypatch.setattr(wiring, "worker", lambda _settings: SimpleNamespace(consumers=made.consumers()))
    return made


async def test_an_event_is_replayed_once_it_may_be_stored(service: Service) -> None:
    (letter,) = await document("dead-letters", "list", "registration")
    assert (letter["reason"], letter["state"], letter["offset"]) == ("not-storable", "open", 1)
    number = str(letter["id"])
    refused(await anju("dead-letters", "replay", "registration", number), "The record fails again: not-storable.")
    assert await document("dead-letters", "list", "registration") == [letter]
    assert await service.effects() == [("a", 1), ("a", 2)]

    await _run(service.db, MEND.format("effects"))
    closed = await document("dead-letters", "replay", "registration", number)
    assert closed == {"service": "registration", "id": letter["id"], "state": "replayed"}
    assert await document("dead-letters", "list", "registration") == []
    assert await service.effects() == [("a", 1), ("a", 2), ("x", TOO_MANY)]
    refused(await anju("dead-letters", "replay", "registration", number), f"Dead letter {number} is closed.")
    assert await service.count() == 3


@pytest.fixture
async def alerts_db(postgres: Postgres) -> Any:
    """Alerts' own database, migrated."""
    dsn = await postgres.new_database()
    await migrate(dsn, "alerts")
    database = Database(dsn, service="alerts")
    yield database
    await database.dispose()


async def test_a_state_is_replayed_unless_a_newer_one_came(kafka: Kafka, alerts_db: Database) -> None:
    await _run(alerts_db, FORBID.format("dwellings", "capacity"))
    topic = await kafka.new_topic("premises", partitions=1, compacted=True)
    wanted = next(
        each for each in DwellingReader(PACKS, DISTRICT).subscriptions() if each.topic == topics.HOUSING_PREMISES
    )
    read = [replace(wanted, topic=topic, group=kafka.new_name("group"))]
    consumers = Consumers(alerts_db, settings_of(kafka), "alerts", read)
    left, followed, last = (str(uuid4()) for _ in range(3))
    producer = AIOKafkaProducer(**settings_of(kafka).connection("stranger", 30_000))
    await producer.start()
    try:
        async with running(consumers):
            # One after the other is read: of several versions in a batch only the newest would be applied.
            told = ((left, 1, TOO_MANY), (followed, 1, TOO_MANY), (followed, 2, 7), (last, 1, 1))
            for count, (place, version, beds) in enumerate(told, 1):
                state = hostile_states.premises(place, version, capacity=beds)
                await producer.send_and_wait(topic, json.dumps(state).encode(), key=place.encode())
                await until(partial(_taken, alerts_db, count))
    finally:
        await producer.stop()
    letters = await list_(alerts_db)
    assert [(each.offset, each.reason) for each in letters] == [(0, "not-storable"), (1, "not-storable")]
    with pytest.raises(DeadLetterError, match=r"fails again: not-storable\.$"):
        await replay(alerts_db, settings_of(kafka), letters[0].id, consumers.replay_of)

    await _run(alerts_db, MEND.format("dwellings"))
    for each in letters:
        await replay(alerts_db, settings_of(kafka), each.id, consumers.replay_of)
    assert await list_(alerts_db) == []
    assert await _capacities(alerts_db) == {left: TOO_MANY, followed: 7, last: 1}


async def _taken(db: Database, count: int) -> bool:
    return [each.next_offset for each in await standings(db)] == [count]


async def _capacities(db: Database) -> dict[str, int]:
    async with db.read() as tx:
        rows = await tx.all(sa.select(dwellings.c.premises_id, dwellings.c.capacity))
    return {str(row.premises_id): row.capacity for row in rows}
