"""A history gets more partitions while its service goes on: nothing is lost, doubled, or out of its key's order."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import Result

from anju.topics import declared
from chassis.events import recovery
from tests.command_line import anju
from tests.kafka.conftest import Databases, Service, Services, running
from tests.parts import Kafka
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.usefixtures("own_logging")]

KEYS = [f"stay-{number}" for number in range(30)]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that sends is not waited for."""
    monkeypatch.setattr(recovery, "LOCK_SECONDS", 2.0)


@pytest.fixture
async def pair(
    kafka: Kafka, new_service: Services, new_database: Databases, monkeypatch: pytest.MonkeyPatch
) -> tuple[Service, Service]:
    """What stands for registration, with a topic of 2 partitions where 5 are declared, and for alerts, its reader."""
    publisher = replace(await new_service(partitions=2), name="registration")
    reader = replace(publisher, db=await new_database(), group=f"{publisher.group}-alerts", written=publisher.written)
    its = declared.Topic(
        owner="registration", kind="history", key="id", partitions=5, retention_days=7, readers=("alerts", "fire")
    )
    state = declared.Topic(owner="registration", kind="state", key="id", partitions=9, readers=())
    other = await kafka.new_topic("state", compacted=True)
    monkeypatch.setattr(declared, "read_topics", lambda _file: {publisher.topic: its, other: state, "none": its})
    monkeypatch.setenv("A_STATE", other)
    for name, service in (("REGISTRATION", publisher), ("ALERTS", reader)):
        monkeypatch.setenv(f"ANJU_{name}_DATABASE_URL", service.db._url)
    for prefix in ("ANJU_REGISTRATION_KAFKA", "ANJU_ALERTS_KAFKA", "ANJU_KAFKA"):
        monkeypatch.setenv(f"{prefix}_BOOTSTRAP", publisher.kafka.bootstrap)
        monkeypatch.setenv(f"{prefix}_USERNAME", publisher.kafka.username)
        monkeypatch.setenv(f"{prefix}_PASSWORD", publisher.kafka.secret)
    return publisher, reader


async def grow(topic: str, *words: str) -> Result:
    """Run the command."""
    return await anju("topics", "grow", topic, *words)


def refused(result: Result, words: str) -> None:
    """It ended with 1 and one line."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def partitions(kafka: Kafka, topic: str) -> int:
    """How many the topic has."""
    return len(kafka.admin.list_topics(topic, timeout=10).topics[topic].partitions)


async def test_a_history_grows_while_its_desks_go_on(kafka: Kafka, pair: tuple[Service, Service]) -> None:
    publisher, reader = pair
    async with running(publisher.relay()):
        for _ in range(2):
            await publisher.write(KEYS)
        await until(publisher.all_sent)
        refused(await grow(publisher.topic), "the relay of registration sends: stop every worker of registration first")
    refused(await grow(publisher.topic), f"alerts has {2 * len(KEYS)} records of {publisher.topic} to read")
    assert partitions(kafka, publisher.topic) == 2
    async with running(reader.consumers()):
        await until(reader.all_arrived)
        # What the web writes meanwhile waits in the outbox, for the partitions that will be.
        await publisher.write(KEYS)
        told = await grow(publisher.topic)
        assert (told.exit_code, told.stderr) == (0, "")
        assert (
            told.stdout == f"{publisher.topic} has 5 partitions instead of 2; start the workers of registration again\n"
        )
        assert partitions(kafka, publisher.topic) == 5
        async with running(publisher.relay()):
            for _ in range(2):
                await publisher.write(KEYS)
            await until(reader.all_arrived, 60)
        await reader.check()
    assert len(await reader.positions()) == 5
    assert len({each.next_offset for each in (await reader.positions()).values()} - {0}) > 1
    again: Any = json.loads((await grow(publisher.topic, "--json")).stdout)
    assert again == {"topic": publisher.topic, "before": 5, "partitions": 5}


async def test_what_cannot_grow(pair: tuple[Service, Service], monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    publisher, _reader = pair
    refused(await grow(os.environ["A_STATE"]), "the worker of registration publishes it whole from its tables")
    refused(await grow("none"), "there is no topic none: `anju topics apply` makes it")
    assert (await grow("nobody.knows")).exit_code == 2
    fewer = declared.Topic(owner="registration", kind="history", key="id", partitions=1, retention_days=7, readers=())
    monkeypatch.setattr(declared, "read_topics", lambda _file: {publisher.topic: fewer})
    refused(await grow(publisher.topic), "has 2 partitions, and none can be taken away: declare 2")
