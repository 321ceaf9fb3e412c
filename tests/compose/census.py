"""Counts inside a container what its service holds: given to `python -` of the image, which has the drivers.

Prints JSON. Words: `stays` (ids of the stays in registration's database), `arrivals` (stay id → different
person-arrived events in the topic), `topics` (name → copies of each partition), `leader` (broker of the topic's first
partition), `alerts` (notice, stay), `foreign` (what Kafka answers to a write into another service's topic).
"""

import asyncio
import json
import os
import sys
from collections import Counter
from typing import Any

import aiokafka
import asyncpg
from aiokafka.errors import TopicAuthorizationFailedError
from confluent_kafka.admin import AdminClient

SERVICE = next(name.split("_")[1] for name in os.environ if name.endswith("_DATABASE_URL"))
STAYS = "registration.stays"


def _setting(name: str) -> str:
    return os.environ[f"ANJU_{SERVICE}_{name}"]


def _connection() -> dict[str, Any]:
    return {
        "bootstrap_servers": _setting("KAFKA_BOOTSTRAP"),
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": _setting("KAFKA_USERNAME"),
        "sasl_plain_password": _setting("KAFKA_PASSWORD"),
    }


def _metadata() -> dict[str, Any]:
    names = {"bootstrap_servers": "bootstrap.servers", "security_protocol": "security.protocol"}
    options = {
        names.get(name, name.replace("_plain", "").replace("_", ".")): value for name, value in _connection().items()
    }
    return dict(AdminClient(options).list_topics(timeout=20).topics)


async def _rows(statement: str) -> list[list[str]]:
    connection = await asyncpg.connect(_setting("DATABASE_URL"))
    try:
        return [[str(value) for value in row] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def stays() -> list[str]:
    return [stay for (stay,) in await _rows("SELECT stay_id FROM stays")]


async def alerts() -> list[list[str]]:
    return await _rows("SELECT notice_id, stay_id FROM alerts WHERE stay_id IS NOT NULL")


async def arrivals() -> dict[str, int]:
    consumer = aiokafka.AIOKafkaConsumer(**_connection(), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [aiokafka.TopicPartition(STAYS, number) for number in _metadata()[STAYS].partitions]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        events: dict[bytes, str] = {}
        for partition, end in ends.items():
            await consumer.seek_to_beginning(partition)
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(partition, timeout_ms=5000)).values():
                    for record in records:
                        headers = dict(record.headers)
                        if headers["ce_type"] == b"anju.registration.person-arrived.v1":
                            events[headers["ce_id"]] = json.loads(record.value or b"{}")["stay_id"]
        return Counter(events.values())
    finally:
        await consumer.stop()


async def topics() -> dict[str, list[int]]:
    found = {name: topic for name, topic in _metadata().items() if not name.startswith("__")}
    return {name: sorted({len(each.replicas) for each in topic.partitions.values()}) for name, topic in found.items()}


async def leader() -> int:
    broker: int = _metadata()[STAYS].partitions[0].leader
    return broker


async def foreign() -> str:
    producer = aiokafka.AIOKafkaProducer(**_connection())
    await producer.start()
    try:
        await producer.send_and_wait("housing.premises", b"{}", key=b"k")
    except TopicAuthorizationFailedError:
        return "refused"
    finally:
        await producer.stop()
    return "taken"


print(json.dumps(asyncio.run(globals()[sys.argv[1]]())))
