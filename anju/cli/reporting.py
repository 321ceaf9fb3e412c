"""`anju reporting`: the read models, made anew from Kafka."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from anju.cli.access import database, kafka
from anju.cli.output import Json, answer
from anju.cli.selection import refuse

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from chassis.data.db import Database
    from chassis.events.kafka import KafkaSettings, RawRecord
    from chassis.events.records import StateRecord
    from services.reporting.domain.read_models import Counted, Owner

app = typer.Typer(help="Reporting's read models.", no_args_is_help=True)

# A broker that sends nothing for so long is down; what was read until then is thrown away, and nothing was changed.
SILENCE_SECONDS = 30.0
START_SECONDS = 10.0


@app.callback()
def _group() -> None:
    """Reporting's read models."""


@app.command()
def rebuild(context: typer.Context, json: Json = False) -> None:
    """Empty the read models and fill them again from Kafka; services may go on meanwhile."""

    async def run() -> Mapping[str, int]:
        async with database(context, "reporting") as db:
            return await rebuilt(db, kafka(context, "reporting"))

    rows = asyncio.run(run())
    answer(json, rows, lambda: typer.echo(", ".join(f"{owner}: {count} rows" for owner, count in rows.items())))


async def rebuilt(db: "Database", settings: "KafkaSettings") -> Mapping[str, int]:
    """Fill the read models from their topics; return how many rows each has.

    The logs are read first, the rest of them once the read models are held: so they are held for a moment only.
    """
    from aiokafka.errors import KafkaError

    from chassis.events.kafka import close_consumer, reader
    from services.reporting.consumers import SOURCES
    from services.reporting.use_cases import queries
    from services.reporting.use_cases.rebuild import rebuild as replace

    consumer = reader(settings)
    newest: dict[str, dict[str, StateRecord]] = {source.topic: {} for source in SOURCES.values()}
    try:
        async with asyncio.timeout(START_SECONDS):
            await consumer.start()
            partitions = await _assign(consumer, settings, list(newest))
        await _read_on(consumer, partitions, newest)
        async with db.transaction() as tx:
            await queries.hold(tx)
            await _read_on(consumer, partitions, newest)
            rows = await replace(tx, {owner: _counted(owner, newest[SOURCES[owner].topic]) for owner in SOURCES})
        return {owner.value: count for owner, count in rows.items()}
    except (KafkaError, TimeoutError):
        refuse("Kafka does not answer; the read models are as they were.")
    finally:
        await close_consumer(consumer)


async def _assign(consumer: "AIOKafkaConsumer", settings: "KafkaSettings", names: list[str]) -> "list[TopicPartition]":
    from aiokafka import TopicPartition

    from chassis.events.kafka import admin

    client = admin(settings)
    await client.start()
    try:
        described = await client.describe_topics(names)
    finally:
        await client.close()
    missing = [each["topic"] for each in described if not each["partitions"]]
    if missing:
        refuse(f"a topic is missing: {', '.join(missing)}; `anju topics apply` makes it.")
    partitions = [TopicPartition(each["topic"], its["partition"]) for each in described for its in each["partitions"]]
    consumer.assign(partitions)
    for partition, offset in (await consumer.beginning_offsets(partitions)).items():
        consumer.seek(partition, offset)
    return partitions


async def _read_on(
    consumer: "AIOKafkaConsumer",
    partitions: "list[TopicPartition]",
    newest: "dict[str, dict[str, StateRecord]]",
) -> None:
    """Read to the present ends of the logs, keeping of each key what the worker would keep."""
    ends = await consumer.end_offsets(partitions)
    pending = [each for each in partitions if await consumer.position(each) < ends[each]]
    while pending:
        async with asyncio.timeout(SILENCE_SECONDS):
            batch = await consumer.getmany(*pending, timeout_ms=1000)
        for partition, records in batch.items():
            for record in records:
                _keep(newest[partition.topic], record)
        pending = [each for each in pending if await consumer.position(each) < ends[each]]


def _keep(newest: "dict[str, StateRecord]", raw: "RawRecord") -> None:
    from chassis.events.records import BadRecord, StateRecord

    try:
        record = StateRecord(raw)
    except BadRecord:
        # The worker has put it aside as a dead letter: it counted nowhere then, and counts nowhere now.
        return
    before = newest.get(record.key)
    if before is None or None in (before.value, record.value) or record.version >= before.version:
        newest[record.key] = record


def _counted(owner: "Owner", records: "Mapping[str, StateRecord]") -> "list[Counted]":
    from chassis.events.records import BadRecord
    from services.reporting.consumers import read

    found = []
    for record in records.values():
        try:
            if record.value is not None:
                found.append(read(owner, record))
        except BadRecord:
            continue
    return found
