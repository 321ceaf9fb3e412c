"""The doctor on a real database and broker: what is planted is named, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from confluent_kafka import TopicPartition

from anju.doctor import examination, judge
from anju.doctor.examination import Service, examine, examine_topics
from anju.topics.declared import Topic
from chassis.data import audit
from chassis.data.db import Database, Transaction
from chassis.data.migrations import migrate
from chassis.data.tables import audit_head
from chassis.events.consumers import Consumers
from chassis.events.dead_letters import Pointer, put_aside
from chassis.events.histories import HistorySubscription, Record, each
from chassis.events.outbox import Emission
from chassis.events.relay import Relay
from chassis.events.tables import consumer_positions, outbox, relay_mark, relay_partitions
from policy.reading import BadPack
from tests.kafka.conftest import Counted, running, settings_of
from tests.parts import Kafka, Postgres
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

EVENTS = 5


@dataclass
class Publisher:
    """A service that has published and read EVENTS events of a topic of its own, all of it well."""

    service: Service
    kafka: Kafka
    topic: str
    topics: dict[str, Topic]

    async def change(self, statement: sa.Executable) -> None:
        """Write into the database as a fault would."""
        async with self.service.db.transaction() as tx:
            await tx.execute(statement)

    async def codes(self) -> list[str]:
        """What the doctor finds."""
        return [found.code for found in await examine([self.service], self.topics)]


@pytest.fixture
async def publisher(kafka: Kafka, postgres: Postgres) -> AsyncIterator[Publisher]:
    dsn = await postgres.new_database()
    await migrate(dsn, "alerts")
    db = Database(dsn, service="alerts")
    topic = await kafka.new_topic()
    settings = settings_of(kafka)
    read: list[str] = []

    async def handle(_tx: Transaction, record: Record) -> None:
        read.append(record.key)

    async def all_sent() -> bool:
        async with db.read() as tx:
            return bool(await tx.scalar(sa.select(relay_mark.c.sent >= EVENTS)))

    consumers = Consumers(db, settings, "alerts", [HistorySubscription(topic, "alerts.own", each(handle), handle)])
    async with running(Relay(db, settings, "alerts"), consumers):
        async with db.transaction() as tx:
            audit.record(tx, audit.Entry("somebody", "city", "test.done", "nothing"), datetime.now(UTC))
            for number in range(EVENTS):
                tx.emit(Emission(topic, "a", "anju.test.counted.v1", Counted(number=number), "history"))
        await until(lambda: len(read) == EVENTS)
        await until(all_sent)
    declared = Topic(owner="alerts", kind="history", key="id", partitions=1, retention_days=7, readers=())
    yield Publisher(Service("alerts", db, settings), kafka, topic, {topic: declared})
    await db.dispose()


async def test_a_service_that_is_well(publisher: Publisher) -> None:
    assert await publisher.codes() == []


def _older(table: sa.Table, **values: Any) -> Callable[[Publisher], Awaitable[None]]:
    return lambda publisher: publisher.change(sa.update(table).values(**values))


async def _dead_letter(publisher: Publisher) -> None:
    async with publisher.service.db.transaction() as tx:
        await put_aside(tx, "alerts.own", [Pointer(publisher.topic, 0, 1, (1, 2), "broken")])


async def _unsent(publisher: Publisher) -> None:
    async with publisher.service.db.transaction() as tx:
        tx.emit(Emission(publisher.topic, "a", "anju.test.counted.v1", Counted(number=9), "history"))
    waiting = sa.update(outbox).where(outbox.c.relay_number.is_(None))
    await publisher.change(waiting.values(created_at=sa.func.now() - sa.text("interval '40 seconds'")))


async def _removed(publisher: Publisher) -> None:
    """Retention overtakes a reader that stands at the second record."""
    await publisher.change(sa.update(consumer_positions).values(next_offset=1, sequence=1))
    gone = publisher.kafka.admin.delete_records([TopicPartition(publisher.topic, 0, 3)])
    await asyncio.gather(*(asyncio.to_thread(future.result, 20) for future in gone.values()))


async def _deleted(publisher: Publisher) -> None:
    """The whole topic goes, with what was acknowledged and what stands to be read."""
    gone = publisher.kafka.admin.delete_topics([publisher.topic])
    await asyncio.gather(*(asyncio.to_thread(future.result, 20) for future in gone.values()))
    await until(lambda: publisher.topic not in publisher.kafka.admin.list_topics(timeout=10).topics)


@pytest.mark.parametrize(
    ("plant", "codes"),
    [
        pytest.param(
            lambda it: it.change(sa.text("UPDATE alembic_version SET version_num = '0001'")),
            ["migrations-pending"],
            id="a migration is pending",
        ),
        pytest.param(
            lambda it: it.change(sa.text("UPDATE alembic_version SET version_num = '9999'")),
            ["schema-newer"],
            id="the program is older than the schema",
        ),
        pytest.param(_dead_letter, ["dead-letters"], id="a dead letter"),
        pytest.param(_unsent, ["outbox-late"], id="a row that nobody sends"),
        pytest.param(
            _older(consumer_positions, gap_since=sa.func.now() - sa.text("interval '40 seconds'")),
            ["consumer-gap"],
            id="a gap",
        ),
        pytest.param(_removed, ["consumer-lost-records"], id="retention overtook a reader"),
        pytest.param(_older(relay_partitions, numbered=EVENTS - 1), ["kafka-ahead"], id="an older backup"),
        pytest.param(
            _older(relay_partitions, acknowledged_offset=EVENTS),
            ["topic-lost-records"],
            id="Kafka lost the last record",
        ),
        pytest.param(_deleted, ["topic-lost-records", "topic-missing"], id="a topic was deleted"),
        pytest.param(_older(audit_head, last_id=7), ["audit-head"], id="the audit log was cut"),
    ],
)
async def test_what_is_planted_is_named(
    publisher: Publisher, plant: Callable[[Publisher], Awaitable[None]], codes: list[str]
) -> None:
    await plant(publisher)
    assert sorted(await publisher.codes()) == codes


async def test_a_reader_that_stopped_is_late(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    await publisher.change(sa.update(consumer_positions).values(next_offset=1, sequence=1))
    assert await publisher.codes() == [], "its next record was written a moment ago"
    monkeypatch.setattr(judge, "LATE_SECONDS", 0.0)
    (late,) = await examine([publisher.service], publisher.topics)
    assert late.code == "consumer-late"
    assert late.what.startswith(f"{EVENTS - 1} records wait to be read")


async def test_what_is_down_is_said_once_and_holds_nothing_up(publisher: Publisher) -> None:
    well = publisher.service
    silent = replace(well.kafka, bootstrap="127.0.0.1:1")
    gone = Database("postgresql://a:b@127.0.0.1:1/none", service="housing", pool_size=2)
    async with asyncio.timeout(30):
        both = await examine([replace(well, kafka=silent), Service("housing", gone, silent)], publisher.topics)
        one = await examine([well, Service("housing", gone, silent)], publisher.topics)
    await gone.dispose()
    assert sorted((found.code, found.where) for found in both) == [
        ("database-unreachable", "housing: database"),
        ("kafka-unreachable", "Kafka"),
    ]
    assert sorted((found.code, found.where) for found in one) == [
        ("database-unreachable", "housing: database"),
        ("kafka-unreachable", "housing: Kafka"),
    ]


async def test_drift_is_named_with_what_mends_it(publisher: Publisher) -> None:
    wider = {publisher.topic: publisher.topics[publisher.topic].model_copy(update={"partitions": 2})}
    findings = await asyncio.to_thread(examine_topics, publisher.kafka.admin, wider, {})
    mine = {found.what: found for found in findings if publisher.topic in found.what}
    more = mine[f"topic {publisher.topic} has 1 partitions instead of 2"]
    assert (more.code, more.command) == ("partitions-declared", f"anju topics grow {publisher.topic}")
    state = wider[publisher.topic].model_copy(update={"kind": "state"})
    findings = await asyncio.to_thread(examine_topics, publisher.kafka.admin, {publisher.topic: state}, {})
    (other,) = [found for found in findings if "instead of 2" in found.what]
    assert (other.code, other.command) == ("drift", None), "a state is not grown"
    assert mine[f"to do: granted: User:alerts READ on topic {publisher.topic}"].command == "anju topics apply"


def test_a_bad_rule_pack_is_named_by_file_and_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert examination.examine_rules() == []

    def broken() -> None:
        raise BadPack(Path("policy/packs/capacity.yaml"), 12, "a number is expected")

    monkeypatch.setattr(examination, "load", broken)
    (found,) = examination.examine_rules()
    assert (found.where, found.what) == ("policy/packs/capacity.yaml:12", "a number is expected")
