"""Collects the evidence of a city that runs, by what `anju demo status --json` says of it."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiokafka
import asyncpg

from tests.chaos.checker.evidence import Evidence, Record, Row

# Topics by interfaces.md.
TOPICS = (
    "registration.stays", "registration.occupancy", "registration.units", "registration.stubs",
    "registration.statistics", "housing.premises", "housing.inspections", "housing.statistics", "alerts.alerts",
    "alerts.notices", "alerts.statistics", "alerts.department.fire",
)  # fmt: skip
# Of these nothing is compared, and they are large.
LEFT_OUT = {"audit_entries", "idempotency_keys", "subject_keys", "alembic_version"}
POLL_MS = 5_000


async def collect(status: Mapping[str, Any], journal: Path) -> Evidence:
    """Read everything: tables first, so that a topic may be ahead of its table's copy here and never behind."""
    evidence = Evidence(journal=[json.loads(line) for line in journal.read_text("utf-8").splitlines()])
    for service, dsn in status["databases"].items():
        evidence.tables |= await _tables(service, dsn)
    for topic in TOPICS:
        records, ends = await _records(status["kafka"], topic)
        evidence.topics[topic], evidence.ends[topic] = records, ends
        evidence.partitions[topic] = len(ends)
    for process in status["processes"]:
        if process["name"].startswith("alerts-"):
            evidence.logs[process["name"]] = await asyncio.to_thread(_text, Path(process["log"]))
    return evidence


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")


async def _tables(service: str, dsn: str) -> dict[str, list[Row]]:
    connection = await asyncpg.connect(dsn)
    try:
        found: dict[str, list[Row]] = {}
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for name in sorted({row["tablename"] for row in names} - LEFT_OUT):
                rows = await connection.fetch(f'SELECT to_jsonb(t)::text AS line FROM "{name}" t')
                found[f"{service}.{name}"] = [json.loads(row["line"]) for row in rows]
        return found
    finally:
        await connection.close()


async def _records(kafka: Mapping[str, str], topic: str) -> tuple[list[Record], dict[int, int]]:
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=kafka["bootstrap"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=kafka["username"],
        sasl_plain_password=kafka["password"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        numbers = sorted(consumer.partitions_for_topic(topic) or await _known(consumer, topic))
        partitions = [aiokafka.TopicPartition(topic, number) for number in numbers]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[Record] = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                batch = await consumer.getmany(partition, timeout_ms=POLL_MS)
                for record in batch.get(partition, ()):
                    found.append(_record(record))
        return found, {partition.partition: end for partition, end in ends.items()}
    finally:
        await consumer.stop()


async def _known(consumer: Any, topic: str) -> set[int]:
    """Ask until the broker has told of the topic's partitions."""
    async with asyncio.timeout(30):
        while True:
            await consumer._client.set_topics([topic])
            found = consumer.partitions_for_topic(topic)
            if found:
                return set(found)
            await asyncio.sleep(0.1)


def _record(record: Any) -> Record:
    headers = {name: value.decode() for name, value in record.headers}
    value = None if record.value is None else record.value.decode()
    return Record(record.partition, record.offset, (record.key or b"").decode(), value, headers)
