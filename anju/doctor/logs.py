"""Reads from Kafka, as a service's own user, where logs begin and end and what stands at an offset."""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from anju.doctor.databases import Place
from chassis.events import kafka
from chassis.events.kafka import KafkaSettings
from chassis.events.records import RawRecord, sequence_of

# A broker that is there answers each question within this.
ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first offset of a partition's log, and the one that the next record gets."""

    start: int
    end: int

    def has(self, offset: int) -> bool:
        """Whether a reader at this offset gets a record."""
        return self.start <= offset < self.end


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What Kafka says to a service.

    `last` are the numbers (epoch, sequence) of the last record in each partition of its own histories, read before the
    database; `bounds` of every partition that the database speaks of, read after it; `waiting` for how many seconds the
    next record of a consumer stands there unread.
    """

    last: Mapping[Place, tuple[int, int]] = field(default_factory=dict)
    bounds: Mapping[Place, Bounds] = field(default_factory=dict)
    waiting: Mapping[Place, float] = field(default_factory=dict)


class Logs:
    """One connection that only looks: it is in no group and commits nothing. Any method raises KafkaError."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer = kafka.reader(settings)

    async def __aenter__(self) -> "Logs":
        try:
            await kafka.start(self._consumer.start(), ANSWER_SECONDS)
        except BaseException:
            await kafka.close_consumer(self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await kafka.close_consumer(self._consumer)

    async def partitions(self, topics: Collection[str]) -> set[Place]:
        """The partitions of those of the topics that are there."""
        client = kafka.admin(self._settings)
        try:
            await kafka.start(client.start(), ANSWER_SECONDS)
            async with asyncio.timeout(ANSWER_SECONDS):
                described = await client.describe_topics(list(topics)) if topics else []
        finally:
            await client.close()
        return {(each["topic"], its["partition"]) for each in described for its in each["partitions"]}

    async def bounds(self, places: Collection[Place]) -> dict[Place, Bounds]:
        """Where these logs begin and end; a partition that is not there has none."""
        there = [TopicPartition(*place) for place in await self.partitions({topic for topic, _ in places})]
        async with asyncio.timeout(ANSWER_SECONDS):
            starts = await self._consumer.beginning_offsets(there) if there else {}
            ends = await self._consumer.end_offsets(there) if there else {}
        return {(each.topic, each.partition): Bounds(starts[each], ends[each]) for each in there}

    async def records(self, offsets: Mapping[Place, int]) -> dict[Place, RawRecord]:
        """The first record at or after each offset, which the log must reach."""
        wanted = {TopicPartition(*place): offset for place, offset in offsets.items()}
        self._consumer.assign(list(wanted))
        for partition, offset in wanted.items():
            self._consumer.seek(partition, offset)
        found: dict[Place, RawRecord] = {}
        async with asyncio.timeout(ANSWER_SECONDS):
            while wanted:
                batch = await self._consumer.getmany(*wanted, timeout_ms=1000, max_records=len(wanted))
                for partition, records in batch.items():
                    found[partition.topic, partition.partition] = records[0]
                    del wanted[partition]
        return found

    async def last_numbers(self, histories: Collection[str]) -> dict[Place, tuple[int, int]]:
        """The numbers of the last record in each partition that has one with readable numbers."""
        places = await self.partitions(histories)
        bounds = await self.bounds(places)
        ends = {place: its.end - 1 for place, its in bounds.items() if its.end > its.start}
        records = await self.records(ends) if ends else {}
        numbers = {place: sequence_of(record) for place, record in records.items()}
        return {place: numbered for place, numbered in numbers.items() if numbered is not None}

    async def waiting(self, next_offsets: Mapping[Place, int]) -> dict[Place, float]:
        """For how many seconds the next record of a reader stands there unread."""
        records = await self.records(next_offsets) if next_offsets else {}
        return {place: max(0.0, time.time() - record.timestamp / 1000) for place, record in records.items()}
