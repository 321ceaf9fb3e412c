"""The parts that tests run against: fresh databases and topics, users without rights, kills that lose nothing."""

import asyncio
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from anju.local.kafka import BROKER_USER, OPERATOR_USER, KafkaNode
from tests.parts import Credentials, Kafka, Postgres


def client(kafka: Kafka, user: Credentials) -> dict[str, str]:
    return {
        "bootstrap_servers": kafka.bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": user.username,
        "sasl_plain_password": user.password,
    }


@pytest.mark.postgres
async def test_a_role_enters_its_own_database_only(postgres: Postgres) -> None:
    first, second = await postgres.new_database(), await postgres.new_database()
    connection = await asyncpg.connect(first)
    await connection.execute("CREATE TABLE kept (number int); INSERT INTO kept VALUES (7)")
    await connection.close()
    copy = await asyncpg.connect(await postgres.copy_of(first))
    assert await copy.fetchval("SELECT number FROM kept") == 7
    await copy.close()
    role, database = first.split("@")[0], second.rsplit("/")[-1]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(f"{role}@{second.split('@')[1].rsplit('/')[0]}/{database}")


@pytest.mark.kafka
async def test_a_user_writes_where_it_was_allowed_only(kafka: Kafka) -> None:
    mine, other = await kafka.new_topic(), await kafka.new_topic()
    user = await kafka.new_user()
    await kafka.allow(user.username, topic=mine, write=True)
    producer = AIOKafkaProducer(**client(kafka, user))
    await producer.start()
    try:
        await producer.send_and_wait(mine, b"1")
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(other, b"1")
    finally:
        await producer.stop()


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_killed_part_comes_back_with_its_data(
    own_kafka: Callable[[], Kafka], own_postgres: Callable[[], Postgres]
) -> None:
    kafka, postgres = own_kafka(), own_postgres()
    topic, dsn = await kafka.new_topic(), await postgres.new_database()
    producer = AIOKafkaProducer(**client(kafka, kafka.operator), acks="all")
    await producer.start()
    await producer.send_and_wait(topic, b"kept")
    await producer.stop()
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept (number int)")
    await connection.close()

    kafka.kill()
    postgres.kill()
    await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))

    consumer = AIOKafkaConsumer(topic, **client(kafka, kafka.operator), auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 30)
        assert record.value == b"kept"
    finally:
        await consumer.stop()
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    await connection.close()


def test_a_storages_id_may_begin_with_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One random id in 64 does, and Kafka's tool would take it for an option."""
    with_dash = uuid.UUID(bytes=b"\xf8" + bytes(15))
    assert urlsafe_b64encode(with_dash.bytes).startswith(b"-")
    monkeypatch.setattr(uuid, "uuid4", lambda: with_dash)
    KafkaNode(tmp_path, 9092, 9093, {BROKER_USER: "b", OPERATOR_USER: "o"}).prepare()
    assert (tmp_path / "data" / "meta.properties").exists()
