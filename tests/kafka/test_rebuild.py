"""Reporting rebuilt from a real broker, while events keep coming: equal to before, plus what came."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer

from anju.cli.reporting import rebuilt
from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.consumers import Consumers
from services.reporting import consumers
from services.reporting.consumers import Source, subscriptions
from services.reporting.domain.read_models import Owner
from services.reporting.storage.tables import registration_days
from tests.kafka.conftest import running, settings_of
from tests.parts import Kafka, Postgres
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
Rows = dict[str, tuple[int, int]]


@pytest.fixture
async def db(postgres: Postgres) -> AsyncIterator[Database]:
    dsn = await postgres.new_database()
    await migrate(dsn, "reporting")
    database = Database(dsn, service="reporting")
    yield database
    await database.dispose()


def value(day: int, version: int) -> dict[str, Any]:
    counts: dict[str, Any] = {"registered": version, "arrivals": version, "departures": 0}
    counts |= {"timeliness": {"on_time": version, "late": 0}}
    return {
        "day": f"2026-11-{day:02}",
        "division_code": "330199001",
        "kind": "tenant",
        "version": f"1.{version}",
    } | counts


async def rows(db: Database) -> Rows:
    async with db.read() as tx:
        found = await tx.all(sa.select(registration_days))
    return {f"{row.day}/{row.division_code}/{row.kind}": (row.registered, row.version_number) for row in found}


async def test_rebuilding_gives_what_the_worker_kept_and_misses_nothing_that_comes(
    kafka: Kafka, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, source in dict(consumers.SOURCES).items():
        topic = await kafka.new_topic(f"{owner}.statistics", partitions=2, compacted=True)
        monkeypatch.setitem(consumers.SOURCES, owner, Source(topic, source.model))
    topic = consumers.SOURCES[Owner.REGISTRATION].topic
    settings = settings_of(kafka)
    producer = AIOKafkaProducer(**settings.connection("test", 10_000))
    await producer.start()
    chance = random.Random(1)
    newest: Rows = {}

    async def publish(number: int) -> None:
        for _ in range(number):
            day = chance.randint(1, 28)
            key = f"2026-11-{day:02}/330199001/tenant"
            gone = chance.random() < 0.1
            version = newest.get(key, (0, 0))[1] + 1
            body = None if gone else json.dumps(value(day, version)).encode()
            await producer.send_and_wait(topic, body, key.encode())
            newest.pop(key, None)
            if not gone:
                newest[key] = (version, version)
        # A repeat of an older version changes nothing.
        key, (version, _) = next(iter(newest.items()))
        if version > 1:
            await producer.send_and_wait(topic, json.dumps(value(int(key[8:10]), 1)).encode(), key.encode())

    try:
        await publish(150)
        async with running(Consumers(db, settings, "reporting", subscriptions())):

            async def caught_up() -> bool:
                return await rows(db) == newest

            await until(caught_up)
            async with db.transaction() as tx:
                await tx.execute(sa.update(registration_days).values(registered=registration_days.c.registered + 1))
                await tx.execute(sa.delete(registration_days).where(registration_days.c.day < date(2026, 11, 10)))
            assert await rows(db) != newest
            counts, _ = await asyncio.gather(rebuilt(db, settings), publish(60))
            assert counts["registration"] > 0
            await until(caught_up)
        assert (await rebuilt(db, settings))["registration"] == len(newest)
        assert await rows(db) == newest
    finally:
        await producer.stop()
