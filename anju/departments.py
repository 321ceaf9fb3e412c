"""Reads a department's topic in the order of each case, and keeps the place, so that a killed reader loses nothing."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import AuthenticationFailedError, KafkaError, TopicAuthorizationFailedError

from chassis.events.kafka import KafkaSettings, close_consumer, reader, start
from contracts.envelope import HEADER_ID, HEADER_SEQUENCE, HEADER_SOURCE, HEADER_TYPE

CONNECT_SECONDS = 10.0
# A broker that restarts is back within a few seconds; more often would only fill its log.
RETRY_SECONDS = 1.0
POLL_MS = 1000
_HEADERS = (HEADER_ID, HEADER_TYPE, HEADER_SOURCE, HEADER_SEQUENCE)

Deliver = Callable[[dict[str, Any]], Awaitable[None]]
Say = Callable[[str], None]


class NotAllowed(Exception):
    """Kafka does not let this user read the topic; trying again would not help."""


class BadPlace(Exception):
    """The file of the place is not one that `Place` wrote; the message names it."""


class Place:
    """The next offset of each partition, in a file that is replaced as a whole after every event."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._next = {int(partition): int(offset) for partition, offset in json.loads(path.read_text()).items()}
        except FileNotFoundError:
            self._next = {}
        except (ValueError, AttributeError, TypeError):
            raise BadPlace(f"{path} is damaged: remove it to read all that Kafka still has.") from None

    def of(self, partition: int) -> int | None:
        """Where to go on, None at the first time."""
        return self._next.get(partition)

    def move(self, partition: int, offset: int) -> None:
        """Keep where to go on."""
        self._next[partition] = offset
        begun = self._path.with_name(f"{self._path.name}.begun")
        begun.write_text(json.dumps({str(each): self._next[each] for each in sorted(self._next)}))
        begun.replace(self._path)


async def follow(kafka: KafkaSettings, topic: str, place: Place, deliver: Deliver, say: Say) -> None:
    """Deliver every event behind the place, one after the other, for ever; survives the loss of the broker.

    The place moves when `deliver` has returned: whoever is killed between the two gets that event again, with the same
    `ce_id`. Raises NotAllowed, and what `deliver` raises.
    """
    while True:
        consumer = reader(kafka)
        try:
            await start(consumer.start(), CONNECT_SECONDS)
            await _seek(consumer, topic, place, say)
            while True:
                for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                    await _deliver(records, place, deliver)
        except (TopicAuthorizationFailedError, AuthenticationFailedError) as error:
            raise NotAllowed(topic) from error
        except (KafkaError, TimeoutError, ConnectionError) as error:
            say(f"Kafka cannot be read ({type(error).__name__}); trying again.")
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            await close_consumer(consumer)


async def _seek(consumer: AIOKafkaConsumer, topic: str, place: Place, say: Say) -> None:
    # Asked of the cluster itself: an assignment needs the partitions' numbers, and no group gives them.
    partitions = await _partitions(consumer, topic)
    consumer.assign(partitions)
    firsts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    for partition in partitions:
        first, end, wanted = firsts[partition], ends[partition], place.of(partition.partition)
        if wanted is not None and wanted < first:
            say(f"partition {partition.partition}: {first - wanted} events are gone, Kafka kept them no longer.")
        if wanted is not None and wanted > end:
            say(f"partition {partition.partition}: Kafka has fewer events than were read; reading all of them again.")
        begins = first if wanted is None or not first <= wanted <= end else wanted
        consumer.seek(partition, begins)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    client = consumer._client
    await client.add_topic(topic)
    await client.force_metadata_update()
    if topic in client.cluster.unauthorized_topics:
        raise TopicAuthorizationFailedError(topic)
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise KafkaError(f"{topic} is not there yet")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


async def _deliver(records: Sequence[ConsumerRecord[bytes, bytes]], place: Place, deliver: Deliver) -> None:
    for record in records:
        await deliver(line_of(record))
        place.move(record.partition, record.offset + 1)


def line_of(record: ConsumerRecord[bytes, bytes]) -> dict[str, Any]:
    """An event as JSON: `ce_id` and the other headers by their names, where it stood, and its value as `data`."""
    headers = {name: content.decode(errors="replace") for name, content in record.headers if name in _HEADERS}
    where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return {**headers, **where, "data": json.loads(record.value or b"null")}


def default_place(department: str) -> Path:
    """Where the place is kept without `--place`: beside the user's other state (XDG base directories)."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "anju"
    with suppress(FileExistsError):
        home.mkdir(parents=True)
    return home / f"subscribe-{department}.json"
