"""`anju topics apply`: makes what topics.yaml declares, gives each service its rights and no more, reports drift."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from anju.topics.cluster import apply
from anju.topics.declared import BadTopicsFile, Topic, read_topics, service_users
from anju.topics.differences import What
from contracts import topics as names
from tests.parts import Credentials, Kafka
from tests.waiting import until

pytestmark = pytest.mark.kafka


def client(kafka: Kafka, user: Credentials) -> dict[str, str]:
    return {
        "bootstrap_servers": kafka.bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": user.username,
        "sasl_plain_password": user.password,
    }


@pytest.fixture
async def applied(kafka: Kafka) -> tuple[dict[str, Topic], dict[str, Credentials]]:
    """The declared topics under names nobody used, with users of their own."""
    users = {service: await kafka.new_user(service) for service in service_users(read_topics())}
    prefix = kafka.new_name("applied")
    topics = {
        f"{prefix}.{name}": topic.model_copy(
            update={
                "owner": users[topic.owner].username,
                "readers": tuple(users[reader].username for reader in topic.readers),
            }
        )
        for name, topic in read_topics().items()
    }
    await asyncio.to_thread(apply, kafka.admin, topics)
    return topics, users


def test_every_name_of_a_topic_is_declared() -> None:
    assert {value for key, value in vars(names).items() if key.isupper()} == set(read_topics())


async def test_a_second_time_there_is_nothing_to_do(
    kafka: Kafka, applied: tuple[dict[str, Topic], dict[str, Credentials]]
) -> None:
    outcome = await asyncio.to_thread(apply, kafka.admin, applied[0])
    assert outcome.done == []
    assert not [each for each in outcome.drift if "applied" in each.subject]


async def test_a_service_is_refused_at_anothers_topic(
    kafka: Kafka, applied: tuple[dict[str, Topic], dict[str, Credentials]]
) -> None:
    topics, users = applied
    stays = next(name for name in topics if name.endswith("registration.stays"))
    assert await written(kafka, users["registration"], stays) is None
    assert await written(kafka, users["housing"], stays) is TopicAuthorizationFailedError
    assert await written(kafka, users["alerts"], stays) is TopicAuthorizationFailedError, "may read, not write"

    group = f"{users['alerts'].username}.matching"
    assert await first_value(kafka, users["alerts"], stays, group) == b"value"
    assert await first_value(kafka, users["registration"], stays, None) == b"value"
    assert await first_value(kafka, users["housing"], stays, None) is TopicAuthorizationFailedError
    assert await first_value(kafka, users["registration"], stays, group) is GroupAuthorizationFailedError


async def written(kafka: Kafka, user: Credentials, topic: str) -> type[KafkaError] | None:
    """What refuses the user when it writes as a relay does."""
    producer = AIOKafkaProducer(**client(kafka, user), enable_idempotence=True, compression_type="lz4")
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"value")
    except KafkaError as error:
        return type(error)
    finally:
        await producer.stop()
    return None


async def first_value(
    kafka: Kafka, user: Credentials, topic: str, group: str | None
) -> bytes | type[KafkaError] | None:
    """The first value that the user reads, or what refuses it."""
    consumer = AIOKafkaConsumer(topic, group_id=group, auto_offset_reset="earliest", **client(kafka, user))
    try:
        await consumer.start()
        return (await asyncio.wait_for(consumer.getone(), 20)).value
    except KafkaError as error:
        return type(error)
    finally:
        await consumer.stop()


async def test_drift_is_mended_or_reported(own_kafka: Callable[[], Kafka]) -> None:
    kafka = own_kafka()
    admin, topics = kafka.admin, read_topics()
    before = await asyncio.to_thread(apply, admin, topics, change=False)
    assert "topic registration.stays: made" in map(str, before.done)
    assert set(admin.list_topics(timeout=10).topics) == set(), "checking changes nothing"
    await asyncio.to_thread(apply, admin, topics)

    undeclared = await kafka.new_topic("undeclared")
    surplus, stranger = (
        AclBinding(
            *(ResourceType.TOPIC, "registration.stays", ResourcePatternType.LITERAL, principal, "*"),
            *(AclOperation.READ, AclPermissionType.ALLOW),
        )
        for principal in ("User:housing", "User:stranger")
    )
    for future in admin.create_acls([surplus, stranger]).values():
        await asyncio.to_thread(future.result, 20)
    await spoil(kafka, "alerts.alerts", {"compression.type": "gzip", "max.message.bytes": "1000"})
    await spoil(kafka, "housing.premises", {"cleanup.policy": "delete"})
    wider = topics | {
        "alerts.notices": topics["alerts.notices"].model_copy(update={"partitions": 4, "retention_days": 3})
    }
    # Brokers learn of what the controller decided some milliseconds later.
    await until(lambda: undeclared in admin.list_topics(timeout=10).topics)
    checked = await asyncio.to_thread(apply, admin, wider, change=False)
    outcome = await asyncio.to_thread(apply, admin, wider)
    assert checked == outcome, "what is said before is what is done"
    assert list(map(str, outcome.done)) == [
        "topic housing.premises: cleanup.policy delete → compact",
        "topic alerts.alerts: compression.type gzip → lz4",
        "topic alerts.notices: retention.ms 604800000 → 259200000",
        "revoked: User:housing READ on topic registration.stays",
    ]
    assert list(map(str, outcome.drift)) == [
        f"topic {undeclared} is not declared",
        "topic alerts.notices has 3 partitions instead of 4",
        "topic alerts.alerts has max.message.bytes set to 1000, which is not declared",
        "right of a stranger: User:stranger READ on topic registration.stays",
    ]
    after = await asyncio.to_thread(apply, admin, wider)
    assert (after.done, after.drift) == ([], outcome.drift), "what is mended is mended, the rest waits for a person"
    assert {each.what for each in after.drift} == {
        *(What.TOPIC_UNDECLARED, What.PARTITIONS, What.SETTING_UNDECLARED, What.RIGHT_OF_STRANGER)
    }


async def spoil(kafka: Kafka, topic: str, changed: dict[str, str]) -> None:
    """Set a topic's settings as somebody's hand would."""
    for key, value in changed.items():
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        for future in kafka.admin.incremental_alter_configs([resource]).values():
            await asyncio.to_thread(future.result, 20)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("topics: {a.b: {owner: a, kind: state, key: id, partitions: 1, readers: [], retention_days: 1}}", "has none"),
        ("topics: {a.b: {owner: a, kind: history, key: id, partitions: 1, readers: []}}", "retention_days"),
        ("topics: {a.b: {owner: a, kind: state, key: id, partitions: 0, readers: []}}", "partitions"),
        ("topics: {a.b: {owner: a, kind: state, key: id, partitions: 1, readers: [], wrtier: x}}", "wrtier"),
        ("topics: {a.b: {owner: a, kind: state, key: id, partitions: 1, readers: [a]}}", "owner"),
        ("topics: [", "not a file of topics"),
        ("other: 1", "not a file of topics"),
    ],
)
def test_a_bad_file_says_why(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "topics.yaml"
    file.write_text(text)
    with pytest.raises(BadTopicsFile, match=why):
        read_topics(file)
