"""Reporting rebuilt from a real broker, while events keep coming: equal to before, plus what came."""

import asyncio
import json
import random
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer

from anju.cli.reporting import rebuilt
from chassis.data.db import Database
from chassis.events.consumers import Consumers
from services.reporting import consumers
from services.reporting.consumers import Source, subscriptions
from services.reporting.domain.read_models import Owner
from services.reporting.storage.days import TABLES
from services.reporting.storage.tables import registration_days
from tests.kafka.conftest import running, settings_of
from tests.parts import Kafka
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
Newest = dict[tuple[Owner, str], tuple[int, int]]
"""Of each owner and key: its count, and its version."""


def value(owner: Owner, key: str, count: int, version: int) -> dict[str, Any]:
    """A record with one count in it that tells it from others."""
    day, division, kind = key.split("/")
    head = {"day": day, "division_code": division, "kind": kind, "version": f"1.{version}"}
    if owner is Owner.REGISTRATION:
        moved = {"arrivals": count, "departures": 0, "timeliness": {"on_time": count, "late": 0}}
        return head | {"registered": count} | moved
    if owner is Owner.HOUSING:
        none = {"minor": 0, "serious": 0, "imminent": 0}
        hazards = dict.fromkeys(("hazards_found", "hazards_cleared", "hazards_open", "clear_seconds"), none)
        visits = {"inspections": {"done": count, "nobody_home": 0, "refused": 0}}
        return head | {"premises_open": count, "premises_closed": 0} | visits | hazards
    steps = ("acknowledge", "verify", "close", "clear")
    done = ("acknowledged", "verified", "closed", "cleared", "retracted")
    return head | {"raised": count} | dict.fromkeys((*(f"{step}_seconds" for step in steps), *done), 0)


KINDS = {Owner.REGISTRATION: "tenant", Owner.HOUSING: "hotel", Owner.ALERTS: "overcrowded"}
COUNT = {Owner.REGISTRATION: "registered", Owner.HOUSING: "premises_open", Owner.ALERTS: "raised"}


async def dump(db: Database) -> bytes:
    """Every row of every read model."""
    async with db.read() as tx:
        rows = {
            owner.value: [list(row) for row in await tx.all(sa.select(table).order_by(*table.primary_key.columns))]
            for owner, table in TABLES.items()
        }
    return json.dumps(rows, default=str, sort_keys=True).encode()


async def newest_of(db: Database) -> Newest:
    """Of each owner and key: its count, and its version."""
    found: Newest = {}
    async with db.read() as tx:
        for owner, table in TABLES.items():
            for row in await tx.all(sa.select(table)):
                counts = row.counts if "counts" in table.c else row._mapping
                key = f"{row.day}/{row.division_code}/{row.kind}"
                found[owner, key] = (counts[COUNT[owner]], row.version_number)
    return found


async def test_rebuilding_gives_what_the_worker_kept_and_misses_nothing_that_comes(
    kafka: Kafka, reporting_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, source in dict(consumers.SOURCES).items():
        topic = await kafka.new_topic(f"{owner}.statistics", partitions=2, compacted=True)
        monkeypatch.setitem(consumers.SOURCES, owner, Source(topic, source.model))
    settings = settings_of(kafka)
    producer = AIOKafkaProducer(**settings.connection("test", 10_000))
    await producer.start()
    chance = random.Random(1)
    newest: Newest = {}
    versions: dict[tuple[Owner, str], int] = {}

    async def publish(number: int) -> None:
        """Counts, corrected ones, annulled ones, and old ones again; `newest` is counted beside it, simply."""
        for _ in range(number):
            owner = chance.choice(list(Owner))
            key = f"2026-11-{chance.randint(1, 28):02}/330199001/{KINDS[owner]}"
            what, topic = (owner, key), consumers.SOURCES[owner].topic
            if what in newest and chance.random() < 0.1:
                await producer.send_and_wait(topic, None, key.encode())
                del newest[what]
                continue
            again = what in newest and chance.random() < 0.2
            version = chance.randint(1, versions[what]) if again else versions.get(what, 0) + 1
            count = newest[what][0] if again and version == versions[what] else chance.randint(0, 99)
            await producer.send_and_wait(topic, json.dumps(value(owner, key, count, version)).encode(), key.encode())
            if not again:
                versions[what] = version
                newest[what] = (count, version)

    try:
        await publish(150)
        async with running(Consumers(reporting_db, settings, "reporting", subscriptions())):

            async def caught_up() -> bool:
                return await newest_of(reporting_db) == newest

            await until(caught_up)
            async with reporting_db.transaction() as tx:
                for table in TABLES.values():
                    await tx.execute(sa.delete(table).where(table.c.day < date(2026, 11, 10)))
                await tx.execute(sa.update(registration_days).values(registered=registration_days.c.registered + 1))
            assert await newest_of(reporting_db) != newest
            counts, _ = await asyncio.gather(rebuilt(reporting_db, settings), publish(90))
            assert min(counts.values()) > 0
            await until(caught_up)
            before = await dump(reporting_db)
        again = await rebuilt(reporting_db, settings)
        assert sum(again.values()) == len(newest)
        assert await newest_of(reporting_db) == newest
        assert await dump(reporting_db) == before
    finally:
        await producer.stop()
