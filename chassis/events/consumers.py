"""All consumers of one process: each subscription is read for ever, and what is wrong with it is said."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable
from chassis.events import outage_logs
from chassis.events.dead_letters import Replay, count_open
from chassis.events.histories import HistoryReader, HistorySubscription
from chassis.events.kafka import KafkaSettings
from chassis.events.reading import Reading
from chassis.events.states import StateReader, StateSubscription
from chassis.run import metrics

log = structlog.get_logger()

# A broker that is away is asked again this often.
REST_SECONDS = 0.5
# A rebalance or a restarted broker takes seconds; after this long a subscription that reads nothing is reported.
UNSETTLED_SECONDS = 30.0
COUNT_SECONDS = 10.0
TICK_SECONDS = 1.0


class UnknownSubscription(Exception):
    """No subscription of this service reads that topic for that group."""


@dataclass(slots=True)
class _Kept:
    reader: HistoryReader | StateReader
    reading: Reading | None = None
    # When it was last seen reading; a process that has not yet read is not ready.
    settled_at: float | None = None


class Consumers:
    """The subscriptions of one service's process. Any number of copies share the partitions."""

    def __init__(
        self,
        db: Database,
        kafka: KafkaSettings,
        service: str,
        subscriptions: Sequence[HistorySubscription | StateSubscription],
    ) -> None:
        self._db = db
        self._kafka = kafka
        self._service = service
        self._kept = [
            _Kept(HistoryReader(db, each, service) if isinstance(each, HistorySubscription) else StateReader(db, each))
            for each in subscriptions
        ]

    async def run(self) -> None:
        """Read for ever; survives the loss of broker and database."""
        outage_logs.shorten()
        async with asyncio.TaskGroup() as tasks:
            for kept in self._kept:
                tasks.create_task(self._keep(kept))
            tasks.create_task(self._count())
            tasks.create_task(self._watch())

    def health(self) -> list[str]:
        """Say what is wrong: not reading, records that wait, a gap that stays open, records that are lost."""
        problems: list[str] = []
        now = time.monotonic()
        for kept in self._kept:
            if kept.settled_at is None:
                problems.append(f"{kept.reader.topic}: not reading yet")
            elif now - kept.settled_at >= UNSETTLED_SECONDS:
                problems.append(f"{kept.reader.topic}: not read for {now - kept.settled_at:.0f} s")
            if kept.reading is not None:
                problems += kept.reading.health()
            problems += kept.reader.health()
        return problems

    def replay_of(self, group: str, topic: str) -> Replay:
        """How dead letters of a subscription are handled again; raises UnknownSubscription."""
        for kept in self._kept:
            if (kept.reader.group, kept.reader.topic) == (group, topic):
                return kept.reader.replay()
        raise UnknownSubscription(f"{self._service} does not read {topic} as {group}")

    async def _watch(self) -> None:
        """Look by ourselves: whoever asks after an hour must not be told of an hour that was well."""
        while True:
            for kept in self._kept:
                if kept.reading is not None and kept.reading.settled:
                    kept.settled_at = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)

    async def _keep(self, kept: _Kept) -> None:
        while True:
            kept.reading = Reading(self._kafka, self._service, kept.reader)
            try:
                await kept.reading.run()
            except Exception as error:
                # A lost broker, a client that is stuck, a fault of our own: each ends with a fresh client.
                log.warning("consumer-begins-anew", topic=kept.reader.topic, group=kept.reader.group, exc_info=error)
            await asyncio.sleep(REST_SECONDS)

    async def _count(self) -> None:
        topics = {kept.reader.topic for kept in self._kept}
        while True:
            try:
                counts = await count_open(self._db)
            except (DatabaseUnavailable, DatabaseBusy):
                log.warning("dead-letters-not-counted")
            else:
                for topic in topics | set(counts):
                    metrics.DEAD_LETTERS.labels(topic).set(counts.get(topic, 0))
            await asyncio.sleep(COUNT_SECONDS)
