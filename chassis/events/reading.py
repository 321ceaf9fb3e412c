"""One life of a subscriber in its group: seeks to the places in PostgreSQL, holds after errors, ends when stuck."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from chassis.data.db import DatabaseBusy, DatabaseUnavailable
from chassis.events import kafka
from chassis.events.kafka import KafkaSettings
from chassis.events.lateness import Lateness
from chassis.events.reader import Reader
from chassis.events.records import RawRecord
from chassis.run import metrics

log = structlog.get_logger()

# A broker with a group to load answers a join in seconds.
START_SECONDS = 30.0
LOAD_SECONDS = 10.0
LOOK_SECONDS = 5.0
LOOK_TIMEOUT_SECONDS = 5.0
TICK_SECONDS = 1.0
# After a failed batch or load: soon at first, and never so often that it adds to the trouble.
FIRST_REST_SECONDS = 0.05
LONGEST_REST_SECONDS = 5.0
# Batches grow by such a part of the most after each success: as many again soon, and not at once into the same failure.
GROWTH = 50
# A restart or a rebalance is caught up with in seconds; a record that waits this long waits for a person.
LATE_SECONDS = 30.0
# So many looks in a row without an answer, a membership or progress: the client is stuck if the broker is not.
STUCK_LOOKS = 3


class Stuck(Exception):
    """The broker answers others, but this subscriber gets nothing from it any more."""


class _Listener(ConsumerRebalanceListener):
    def __init__(self, reading: "Reading") -> None:
        self._reading = reading

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._reading.assigned(assigned)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._reading.revoked()


class Reading:
    """One subscriber, from its join to its end. `run` raises Stuck, or what broke it; a new one is made then.

    aiokafka swallows what a listener raises and goes on from Kafka's own offsets. So a partition counts only once it
    is loaded here; whatever comes of another is dropped, and a load is due.
    """

    def __init__(self, settings: KafkaSettings, service: str, reader: Reader) -> None:
        self._settings = settings
        self._reader = reader
        self._broker, self._subscriber = kafka.subscriber(
            settings, service, reader.group, reader.topic, handle=self._handle, listener=_Listener(self)
        )
        # Held while a transaction runs; a revocation waits for it.
        self._working = asyncio.Lock()
        self._load_due = asyncio.Event()
        # Grows with every assignment, revocation and failure: a load that began before is of no use.
        self._generation = 0
        self._failures = 0
        self._most = self._subscriber.max_records = reader.most_records
        self._joined = False
        # Partitions that were loaded and sought: only of these anything is taken.
        self._ready: set[int] = set()
        # Partitions whose log does not have the next record: they are asked for again, but not at every tick.
        self._unreadable: set[int] = set()
        self._seen: dict[int, int] = {}
        self._stuck_looks = 0
        self._late: dict[int, Lateness] = {}

    @property
    def settled(self) -> bool:
        """Whether it is in the group, every partition that it was given is being read, and Kafka answers."""
        return self._joined and not self._missing() and not self._stuck_looks

    def health(self) -> list[str]:
        """Say in which partitions records have been waiting to be read for too long."""
        now = time.monotonic()
        return [
            f"{self._reader.topic}[{partition}]: {late.lag} records wait to be read,"
            f" the first for at least {late.seconds(now):.0f} s"
            for partition, late in sorted(self._late.items())
            if late.seconds(now) >= LATE_SECONDS
        ]

    async def run(self) -> None:
        """Read for ever."""
        try:
            await kafka.start(self._broker.start(), START_SECONDS)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._load_when_due())
                tasks.create_task(self._watch())
        finally:
            self._drop()
            await kafka.close(self._broker, self._subscriber)

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Stop all partitions at once and have them loaded. Must not wait: aiokafka fetches meanwhile."""
        for partition in partitions:
            self._consumer.pause(partition)
            # Any position will do: without one aiokafka asks Kafka for its own, and fails where there is none.
            self._consumer.seek(partition, 0)
        self._drop()
        self._joined = True
        self._load_due.set()

    async def revoked(self) -> None:
        """Take nothing more, and wait for the transaction that runs: the next reader loads what it commits."""
        self._drop()
        # Whoever reads these partitions next knows how late they are.
        self._late.clear()
        self._seen.clear()
        async with self._working:
            pass

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        assert self._subscriber.consumer is not None
        return self._subscriber.consumer

    def _missing(self) -> list[TopicPartition]:
        if self._subscriber.consumer is None:
            return []
        return [each for each in self._subscriber.consumer.assignment() if each.partition not in self._ready]

    def _drop(self, partitions: Collection[int] | None = None) -> None:
        """Take nothing more of these partitions, or of any; a load that is under way is void."""
        self._generation += 1
        for partition in self._ready if partitions is None else partitions:
            if (position := self._reader.position(partition)) is not None:
                self._seen[partition] = position
        self._ready -= set(self._ready if partitions is None else partitions)
        self._reader.forget(partitions)

    async def _handle(self, runs: Sequence[Sequence[RawRecord]]) -> None:
        async with self._working:
            by_partition = {raws[0].partition: raws for raws in runs}
            batch = {p: raws for p, raws in by_partition.items() if p in self._ready}
            if len(batch) < len(by_partition):
                self._load_due.set()
            if not batch:
                return
            try:
                astray = await self._reader.take(batch)
            except Exception as error:
                # Whatever it is, nothing is skipped: the partitions are loaded and read again from their places.
                log.warning("consumer-holds", topic=self._reader.topic, group=self._reader.group, exc_info=error)
                self._hold(batch)
                self._take_at_most(sum(len(raws) for raws in batch.values()) // 2)
            else:
                self._failures = 0
                self._take_at_most(self._most + self._reader.most_records // GROWTH)
                if astray:
                    self._hold(astray)

    def _take_at_most(self, records: int) -> None:
        # Half as many after each failure, so that no batch outlasts its transaction for ever.
        self._most = self._subscriber.max_records = max(1, min(records, self._reader.most_records))

    def _hold(self, partitions: Collection[int]) -> None:
        self._failures += 1
        self._drop(partitions)
        for each in self._missing():
            self._consumer.pause(each)
        self._load_due.set()

    async def _load_when_due(self) -> None:
        while True:
            await self._load_due.wait()
            if self._failures:
                await asyncio.sleep(min(FIRST_REST_SECONDS * 2 ** min(self._failures, 10), LONGEST_REST_SECONDS))
            self._load_due.clear()
            try:
                async with asyncio.timeout(LOAD_SECONDS):
                    await self._load()
            except Exception as error:
                self._failures += 1
                self._load_due.set()
                log.warning("consumer-cannot-load", topic=self._reader.topic, group=self._reader.group, exc_info=error)

    async def _load(self) -> None:
        missing = self._missing()
        for each in missing:
            self._consumer.pause(each)
            self._consumer.seek(each, 0)
        if not missing:
            return
        generation = self._generation
        seeks = await self._reader.load([each.partition for each in missing], self._bounds)
        if generation != self._generation:
            self._reader.forget(seeks)
            self._load_due.set()
            return
        self._unreadable = {each.partition for each in missing} - set(seeks)
        # Nothing is awaited from here on, so that nothing of before the seek can be delivered after it.
        for each in missing:
            if each.partition in seeks:
                self._consumer.seek(each, seeks[each.partition])
                self._consumer.resume(each)
                self._ready.add(each.partition)

    async def _bounds(self, partitions: Collection[int] | None) -> Mapping[int, tuple[int, int]]:
        if partitions is None:
            partitions = self._consumer.partitions_for_topic(self._reader.topic) or ()
        places = [TopicPartition(self._reader.topic, each) for each in partitions]
        starts = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        return {each.partition: (starts[each], ends[each]) for each in places}

    async def _watch(self) -> None:
        next_look = time.monotonic()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._reader.observe()
            if {each.partition for each in self._missing()} - self._unreadable:
                self._load_due.set()
            if time.monotonic() >= next_look:
                await self._look_for_moved_places()
                await self._look()
                if self._missing():
                    self._load_due.set()
                # A client in doubt is looked at more often, so that it is replaced soon after an outage.
                next_look = time.monotonic() + (TICK_SECONDS if self._stuck_looks else LOOK_SECONDS)

    async def _look_for_moved_places(self) -> None:
        """A place that was set by hand, or restored with its database, is noticed without a record that meets it."""
        if self._working.locked():
            return  # a handler that hangs must not keep this loop from seeing how late it is
        try:
            # Not beside a transaction, which has moved places before the reader knows.
            async with self._working:
                astray = await self._reader.astray()
        except (DatabaseUnavailable, DatabaseBusy):
            return
        if astray:
            self._hold(astray)

    async def _look(self) -> None:
        """Measure the lag and tell Kafka our offsets, for display. Raise Stuck when neither works but the broker does.

        aiokafka may wait for ever after the broker was away, or never join its group again, and reports neither.
        """
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_SECONDS):
                well = await self._measure()
        except (KafkaError, TimeoutError, OSError):
            well = False
        self._stuck_looks = 0 if well else self._stuck_looks + 1
        if self._stuck_looks >= STUCK_LOOKS and await kafka.answers(self._settings):
            raise Stuck

    async def _measure(self) -> bool:
        given = list(self._consumer.assignment())
        if not given:
            self._late.clear()
            return await self._is_member()
        bounds = await self._bounds([each.partition for each in given])
        well, offsets = True, {}
        for each in given:
            start, end = bounds[each.partition]
            position = self._reader.position(each.partition)
            self._note_lateness(each.partition, position, end)
            if position is None:
                continue
            if not start <= position <= end:
                self._hold([each.partition])  # the load finds what was lost, or begins at the start of a new log
            if position < end and position == self._seen.get(each.partition) and not self._working.locked():
                well = False
            self._seen[each.partition] = offsets[each] = position
        if not offsets:
            return await self._is_member()
        await self._consumer.commit(offsets)
        return well

    def _note_lateness(self, partition: int, position: int | None, end: int) -> None:
        """A partition that is held, again and again, is as late as where it was left."""
        left = self._seen.get(partition) if position is None else position
        if left is None:
            return
        late = self._late.setdefault(partition, Lateness())
        late.look(time.monotonic(), left, end)
        metrics.CONSUMER_LAG.labels(self._reader.group, self._reader.topic, str(partition)).set(late.lag)

    async def _is_member(self) -> bool:
        name = kafka.client_id(self._settings, self._reader.group, self._reader.topic)
        return name in await kafka.members(self._settings, self._reader.group)
