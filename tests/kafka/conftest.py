"""What the tests of events share: a database with the plumbing, a service's writer, a consumer that notes effects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import KafkaException
from confluent_kafka.admin import NewTopic
from pydantic import BaseModel

from chassis.data import tables as data_tables
from chassis.data.db import Database, Transaction
from chassis.data.migrations import migrate
from chassis.events import states, tables
from chassis.events.consumers import Consumers
from chassis.events.histories import BadRecord, HistorySubscription, Record, each
from chassis.events.kafka import KafkaSettings
from chassis.events.outbox import Emission
from chassis.events.published import Published
from chassis.events.relay import Relay
from chassis.events.tables import consumer_positions, relay_mark
from chassis.events.wake import Wake
from chassis.run.service import Runs
from tests.kafka.registry import Registry, places
from tests.parts import Kafka, Postgres
from tests.waiting import until

effects = sa.Table(
    "effects",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
)


class Counted(BaseModel):
    """An event of these tests: the nth of its key."""

    number: int
    padding: str = ""
    broken: bool = False


def _create(connection: sa.Connection) -> None:
    operations = Operations(MigrationContext.configure(connection))
    tables.create(operations)
    data_tables.create(operations)
    effects.metadata.create_all(connection)


Databases = Callable[[], Awaitable[Database]]


@pytest.fixture
async def new_database(postgres: Postgres) -> AsyncIterator[Databases]:
    """Makes databases with the plumbing tables and a table of effects; the second call makes another."""
    made: list[Database] = []

    async def make() -> Database:
        made.append(await prepared(await postgres.new_database()))
        return made[-1]

    yield make
    for each_made in made:
        await each_made.dispose()


@pytest.fixture
async def reporting_db(postgres: Postgres) -> AsyncIterator[Database]:
    """Reporting's own database, migrated."""
    dsn = await postgres.new_database()
    await migrate(dsn, "reporting")
    database = Database(dsn, service="reporting")
    yield database
    await database.dispose()


async def prepared(dsn: str) -> Database:
    """Open a database after making the tables in it."""
    database = Database(dsn, service="test")
    async with database.engine.begin() as connection:
        await connection.run_sync(_create)
    return database


@dataclass
class Service:
    """A service of these tests: writes events of `topic` into `db`, relays them, and reads them into its effects."""

    db: Database
    kafka: KafkaSettings
    topic: str
    group: str
    name: str = "test"
    mended: bool = False
    written: dict[str, int] = field(default_factory=dict)

    async def write(self, keys: Sequence[str], *, padding: str = "", broken: bool = False) -> None:
        """Publish the next event of each key, in one transaction."""
        async with self.db.transaction() as tx:
            for key in keys:
                self.written[key] = self.written.get(key, 0) + 1
                tx.emit(self.emission(key, self.written[key], padding=padding, broken=broken))

    def emission(self, key: str, number: int, *, padding: str = "", broken: bool = False) -> Emission:
        """The event that `write` publishes."""
        model = Counted(number=number, padding=padding, broken=broken)
        return Emission(self.topic, key, "anju.test.counted.v1", model, "history")

    def relay(self) -> Relay:
        """A copy of the service's relay."""
        return Relay(self.db, self.kafka, self.name, Published(histories=(self.topic,)))

    def consumers(self, replica: str = "1") -> Consumers:
        """A copy of the service's consumers."""
        subscription = HistorySubscription(self.topic, self.group, each(self.handle), self.handle)
        return Consumers(self.db, replace(self.kafka, replica=replica), self.name, [subscription])

    async def handle(self, tx: Transaction, record: Record) -> None:
        """Note the record as an effect; a broken one cannot be handled until the service is mended."""
        event = Counted.model_validate_json(record.value)
        if event.broken and not self.mended:
            raise BadRecord("broken")
        row = {"topic": record.topic, "key": record.key, "number": event.number, "event_id": record.event_id}
        await tx.execute(sa.insert(effects).values(row))

    async def effects(self) -> list[tuple[str, int]]:
        """(key, number) of each effect, in the order of commits within a key."""
        async with self.db.read() as tx:
            rows = await tx.all(sa.select(effects.c.key, effects.c.number).order_by(effects.c.id))
        return [(row.key, row.number) for row in rows]

    async def all_arrived(self) -> bool:
        """Whether there are as many effects as events written; `check` tells whether they are the right ones."""
        return await self.count() >= sum(self.written.values())

    async def has(self, count: int) -> bool:
        """Whether there are at least so many effects."""
        return await self.count() >= count

    async def count(self) -> int:
        """How many effects there are."""
        async with self.db.read() as tx:
            count: int = await tx.scalar(sa.select(sa.func.count()).select_from(effects))
        return count

    async def check(self, *, without: Sequence[tuple[str, int]] = ()) -> None:
        """Every event once, and those of a key in their order."""
        by_key: dict[str, list[int]] = {}
        for key, number in await self.effects():
            by_key.setdefault(key, []).append(number)
        expected = {
            key: [number for number in range(1, last + 1) if (key, number) not in without]
            for key, last in self.written.items()
        }
        assert by_key == {key: numbers for key, numbers in expected.items() if numbers}

    async def all_sent(self) -> bool:
        """Whether Kafka has acknowledged every event written."""
        async with self.db.read() as tx:
            sent: int = await tx.scalar(sa.select(relay_mark.c.sent))
        return sent >= sum(self.written.values())

    async def positions(self) -> dict[int, Any]:
        """Rows of the consumer's places, by partition."""
        async with self.db.read() as tx:
            rows = await tx.all(sa.select(consumer_positions).where(consumer_positions.c.group == self.group))
        return {row.partition: row for row in rows}


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the code under test logs, instead of pages of it on the screen."""
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture(autouse=True)
def _ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a state's log does not show is dropped when it was read, not minutes after."""
    monkeypatch.setattr(states, "DROP_SECONDS", 0.0)


Services = Callable[..., Awaitable[Service]]


def settings_of(kafka: Kafka, **changed: Any) -> KafkaSettings:
    """Settings of a client that may do everything."""
    operator = kafka.operator
    settings = KafkaSettings(kafka.bootstrap, operator.username, operator.password, replica="1", client_id="test")
    return replace(settings, **changed)


@pytest.fixture
async def new_service(kafka: Kafka, new_database: Databases) -> Services:
    """Makes services with a topic, a group and a database of their own."""

    async def make(*, partitions: int = 3, max_message_bytes: str = "1048588") -> Service:
        topic = await kafka.new_topic(partitions=partitions, max_message_bytes=max_message_bytes)
        service = Service(await new_database(), settings_of(kafka), topic, kafka.new_name("group"))
        service.db.after_every_commit(Wake(service.db))
        return service

    return make


@asynccontextmanager
async def running(*parts: Runs) -> AsyncIterator[None]:
    """Run parts of a worker, and cancel them at the end as a worker does when it stops."""
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def with_events(new_service: Services, count: int = 10) -> Service:
    """A service whose topic of one partition holds `count` events that nobody has read."""
    service = await new_service(partitions=1)
    async with running(service.relay()):
        for _ in range(count):
            await service.write(["a"])
        await until(service.all_sent)
    return service


async def made_anew(kafka: Kafka, topic: str, *, partitions: int, compacted: bool = False) -> None:
    """Delete a topic and make it again under its name, as somebody does who mistakes it for an old one."""
    await asyncio.to_thread(kafka.admin.delete_topics([topic])[topic].result, 30)
    settings = {"cleanup.policy": "compact" if compacted else "delete", "compression.type": "lz4"}

    async def made() -> bool:
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=settings)
        try:
            await asyncio.to_thread(kafka.admin.create_topics([new])[topic].result, 30)
        except KafkaException as error:
            if error.args[0].code() != ClientError.TOPIC_ALREADY_EXISTS:
                raise
            return False  # it is still being deleted
        return True

    await until(made)


@asynccontextmanager
async def writing(service: Service) -> AsyncIterator[None]:
    """Events of five keys, up to 50 a second, for as long as the block lasts."""
    ended = asyncio.Event()

    async def write() -> None:
        while not ended.is_set():
            await service.write([f"stay-{number}" for number in range(5)])
            await asyncio.sleep(0.1)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        ended.set()
        await writing


@pytest.fixture
async def registry(kafka: Kafka, new_database: Databases) -> Registry:
    """A registry of its own topic of three partitions."""
    db = await new_database()
    async with db.engine.begin() as connection:
        await connection.run_sync(places.metadata.create_all)
    topic = await kafka.new_topic("state", partitions=3, compacted=True)
    return Registry(db, settings_of(kafka), topic, kafka.new_name("group"))
