"""Looking into logs without a group: where they start and end, and the records at given offsets."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from chassis.events import kafka
from chassis.events.kafka import KafkaSettings
from chassis.events.records import RawRecord

ANSWER_SECONDS = 20.0
# What an answer is waited for; then it is asked again, so that a broker that went away is noticed.
POLL_MS = 1_000


class KafkaSilent(Exception):
    """Kafka did not answer in time, or refused."""


class Place(NamedTuple):
    """One partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Span:
    """A log's first offset, and the one after its last record."""

    start: int
    end: int


class Logs:
    """Open it with `open_logs`; every call raises KafkaSilent."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def places(self, topics: Iterable[str]) -> list[Place]:
        """Return the partitions of topics; a topic that does not exist is left out."""
        async with _answering():
            # Asked of the broker now: a cached answer would not know of a topic that was deleted.
            cluster = await self._consumer._client.fetch_all_metadata()
        return [Place(topic, each) for topic in topics for each in sorted(cluster.partitions_for_topic(topic) or ())]

    async def spans(self, places: Collection[Place]) -> dict[Place, Span]:
        """Return where the logs of places start and end."""
        wanted = [TopicPartition(*place) for place in places]
        if not wanted:
            return {}
        async with _answering():
            self._consumer.assign(wanted)
            starts = await self._consumer.beginning_offsets(wanted)
            ends = await self._consumer.end_offsets(wanted)
        return {Place(*each): Span(starts[each], ends[each]) for each in wanted}

    async def read(self, spans: Mapping[Place, Span]) -> AsyncIterator[tuple[Place, list[RawRecord]]]:
        """Give the records of each place from its span's start to before its end, in runs."""
        open_ = {TopicPartition(*place): span for place, span in spans.items() if span.start < span.end}
        if not open_:
            return
        self._consumer.assign(list(open_))
        for each, span in open_.items():
            self._consumer.seek(each, span.start)
        while open_:
            async with _answering():
                batch = await self._consumer.getmany(*open_, timeout_ms=POLL_MS)
                reached = {each: await self._consumer.position(each) for each in open_}
            if not batch and not any(reached[each] >= open_[each].end for each in open_):
                await self._expect_answers(list(open_))
            for each, raws in batch.items():
                yield Place(*each), [raw for raw in raws if raw.offset < open_[each].end]
            for each, offset in reached.items():
                if offset >= open_[each].end:
                    del open_[each]
                    self._consumer.pause(each)

    async def _expect_answers(self, places: list[TopicPartition]) -> None:
        """A fetch gives nothing both when there is nothing and when nobody answers: ask for something that has one."""
        async with _answering():
            ends = await self._consumer.end_offsets(places)
        for each in places:
            if ends[each] <= await self._consumer.position(each):
                raise KafkaSilent(f"{each.topic}[{each.partition}] was cut while it was read")


@asynccontextmanager
async def open_logs(settings: KafkaSettings) -> AsyncIterator[Logs]:
    """A client of its own for looking into logs; raises KafkaSilent."""
    consumer = kafka.reader(settings)
    try:
        async with _answering():
            await kafka.start(consumer.start(), ANSWER_SECONDS)
        yield Logs(consumer)
    finally:
        await kafka.close_consumer(consumer)


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except (KafkaError, TimeoutError, OSError) as error:
        raise KafkaSilent from error
