"""A department's reader: nothing lost over kills and lost brokers, order kept, rights of its own and no more."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from anju.departments import NotAllowed, Place, follow
from anju.topics.cluster import ensure_users
from anju.topics.differences import Difference, What
from chassis.events.kafka import KafkaSettings, close_consumer, producer, reader
from contracts.envelope import HEADER_ID, HEADER_TYPE
from tests.parts import Credentials, Kafka

pytestmark = pytest.mark.kafka

SECONDS = 60.0
EVENTS, CASES, KILLS = 1000, 7, 20


def settings(kafka: Kafka, user: Credentials) -> KafkaSettings:
    """Connect as this user."""
    return KafkaSettings(kafka.bootstrap, user.username, user.password, replica="", client_id="test")


class Killed(Exception):
    """Stands for a kill between delivering an event and keeping the place."""


async def publish(kafka: Kafka, topic: str, count: int, first: int = 0) -> None:
    """Events of a few cases, numbered."""
    sender = producer(settings(kafka, kafka.operator))
    await sender.start()
    try:
        for number in range(first, first + count):
            await sender.send(
                topic,
                json.dumps({"number": number}).encode(),
                key=f"case-{number % CASES}".encode(),
                headers=[(HEADER_ID, f"id-{number}".encode()), (HEADER_TYPE, b"test")],
            )
        await sender.flush()
    finally:
        await sender.stop()


async def test_killed_twenty_times_it_loses_nothing_and_keeps_order(kafka: Kafka, tmp_path: Path) -> None:
    """Each event comes; one that was delivered as the reader died comes again under the same ce_id."""
    topic = await kafka.new_topic("fire", partitions=3)
    user = await kafka.new_user("fire")
    await kafka.allow(user.username, topic=topic, read=True)
    sending = asyncio.create_task(publish(kafka, topic, EVENTS))
    lines: list[dict[str, Any]] = []
    for life in range(KILLS + 1):
        until = EVENTS * (life + 1) // (KILLS + 1)

        async def deliver(line: dict[str, Any], until: int = until) -> None:
            lines.append(line)
            if len({each["ce_id"] for each in lines}) >= until:
                raise Killed

        async with asyncio.timeout(SECONDS):
            with pytest.raises(Killed):
                await follow(settings(kafka, user), topic, Place(tmp_path / "place"), deliver, print)
    await sending
    numbers = [line["data"]["number"] for line in lines]
    assert set(numbers) == set(range(EVENTS))
    # The event at which it died is delivered again, and nothing else.
    assert EVENTS < len(numbers) <= EVENTS + KILLS
    for case in range(CASES):
        own = [number for number in numbers if number % CASES == case]
        assert list(dict.fromkeys(own)) == sorted(set(own))


async def test_a_user_without_rights_is_told_so(kafka: Kafka, tmp_path: Path) -> None:
    """It does not try for ever."""
    topic = await kafka.new_topic("fire")
    user = await kafka.new_user("education")

    async def deliver(_line: dict[str, Any]) -> None:
        raise AssertionError

    async with asyncio.timeout(SECONDS):
        with pytest.raises(NotAllowed):
            await follow(settings(kafka, user), topic, Place(tmp_path / "place"), deliver, print)


async def test_missing_users_are_made_and_others_kept(kafka: Kafka) -> None:
    """A cluster that was formatted before a department had a user gets it; a second time there is nothing to do."""
    name = kafka.new_name("fire")
    made = [Difference(What.USER_MISSING, name)]
    assert await asyncio.to_thread(ensure_users, kafka.admin, {name: "first"}, change=False) == made
    assert await asyncio.to_thread(ensure_users, kafka.admin, {name: "first"}) == made
    assert await asyncio.to_thread(ensure_users, kafka.admin, {name: "second"}) == []
    topic = await kafka.new_topic("fire")
    await kafka.allow(name, topic=topic, read=True)
    consumer = reader(settings(kafka, Credentials(name, "first")))
    await consumer.start()
    assert topic in await consumer.topics()
    await close_consumer(consumer)
