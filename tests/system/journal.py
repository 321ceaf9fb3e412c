"""Reading back what a city holds: its databases and its topics, compared with what terminals were told."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiokafka
import asyncpg
import orjson

from tests.waiting import until

# A topic is read to the end it had when the reading began; a broker that just came back may need a while to answer.
READ_TIMEOUT_MS = 5_000


@asynccontextmanager
async def database(status: Mapping[str, Any], service: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect to one service's database as its owner."""
    connection = await asyncpg.connect(status["databases"][service])
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _consumer(status: Mapping[str, Any], *topics: str) -> AsyncIterator[aiokafka.AIOKafkaConsumer]:
    kafka = status["kafka"]
    consumer = aiokafka.AIOKafkaConsumer(
        *topics,
        bootstrap_servers=kafka["bootstrap"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=kafka["username"],
        sasl_plain_password=kafka["password"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_uncommitted",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def records(status: Mapping[str, Any], topic: str) -> list[aiokafka.ConsumerRecord[bytes, bytes]]:
    """Return every record of a topic, from its first to the end it has now."""
    async with _consumer(status, topic) as consumer:
        await until(lambda: bool(consumer.assignment()))
        ends = await consumer.end_offsets(list(consumer.assignment()))
        found: list[aiokafka.ConsumerRecord[bytes, bytes]] = []
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                batch = await consumer.getmany(partition, timeout_ms=READ_TIMEOUT_MS)
                found += [record for rows in batch.values() for record in rows]
        return found


async def ends(status: Mapping[str, Any], places: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return where the logs of these partitions end now; one that is not there has no end."""
    async with _consumer(status) as consumer:
        cluster = await consumer._client.fetch_all_metadata()
        there = [each for each in places if each[1] in (cluster.partitions_for_topic(each[0]) or ())]
        found = await consumer.end_offsets([aiokafka.TopicPartition(*each) for each in there])
    return {(each.topic, each.partition): end for each, end in found.items()}


async def published_arrivals(status: Mapping[str, Any]) -> Counter[str]:
    """Count, per stay, the different `person-arrived` events in `registration.stays`; a repeat has the same `ce_id`."""
    events: dict[str, str] = {}
    for record in await records(status, "registration.stays"):
        headers = {name: value.decode() for name, value in record.headers}
        if headers.get("ce_type") == "anju.registration.person-arrived.v1" and record.value is not None:
            events[headers["ce_id"]] = orjson.loads(record.value)["stay_id"]
    return Counter(events.values())


async def published_ids(status: Mapping[str, Any], topic: str) -> set[str]:
    """Return the id of every event of a topic; a repeat has the same."""
    found = await records(status, topic)
    return {value.decode() for record in found for name, value in record.headers if name == "ce_id"}


async def kept_ids(status: Mapping[str, Any], service: str, topic: str) -> set[str]:
    """Return the id of every event of a topic that its publisher's outbox has."""
    async with database(status, service) as connection:
        rows = await connection.fetch("SELECT event_id FROM outbox WHERE topic = $1", topic)
    return {str(row["event_id"]) for row in rows}


async def stored_stays(status: Mapping[str, Any]) -> set[str]:
    """Return the ids of every stay that registration holds."""
    async with database(status, "registration") as connection:
        return {str(row["stay_id"]) for row in await connection.fetch("SELECT stay_id FROM stays")}


async def raised_alerts(status: Mapping[str, Any]) -> Counter[tuple[uuid.UUID, uuid.UUID]]:
    """Count alerts per (notice, stay)."""
    async with database(status, "alerts") as connection:
        rows = await connection.fetch("SELECT notice_id, stay_id FROM alerts WHERE stay_id IS NOT NULL")
    return Counter((row["notice_id"], row["stay_id"]) for row in rows)


async def everything(status: Mapping[str, Any], service: str) -> str:
    """Return every row of every table of a service's database as text."""
    async with database(status, service) as connection:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        parts = [
            row["line"]
            for name in names
            for row in await connection.fetch(f'SELECT t::text AS line FROM "{name["tablename"]}" t')
        ]
    return "\n".join(parts)
