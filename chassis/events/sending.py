"""One producer at a time, and the way of a batch of rows to Kafka's acknowledgement, or to a thrown-away producer."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from chassis.events import kafka
from chassis.events.kafka import KafkaSettings
from chassis.events.records import headers
from chassis.events.relay_rows import Acknowledged, Row

# A topic's partitions are known at once or the topic does not exist (yet).
METADATA_SECONDS = 5.0
START_SECONDS = 10.0
# Acknowledgements take milliseconds; after this long it is asked whether the broker is there at all.
ASK_AFTER_SECONDS = 1.0
# A broker that answers but does not acknowledge may be slow: sending again too soon would only add to its work.
STALLED_SECONDS = 30.0


_T = TypeVar("_T")


class SendFailed(Exception):
    """Kafka did not acknowledge every row; which of them it has is unknown."""


@dataclass(slots=True)
class _Batch:
    builder: BatchBuilder
    last: Row
    count: int = 1


class Sending:
    """Sends rows in their order. After any failure its producer is thrown away and the next call makes a new one."""

    def __init__(self, settings: KafkaSettings, service: str) -> None:
        self._settings = settings
        self._service = service
        self._producer: AIOKafkaProducer | None = None

    async def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has; raises SendFailed where it is unknown."""
        producer = await self._started()
        try:
            async with asyncio.timeout(METADATA_SECONDS):
                return len(await producer.partitions_for(topic))
        except (KafkaError, TimeoutError) as error:
            await self.discard()
            raise SendFailed from error

    async def send(self, rows: Sequence[Row]) -> list[Acknowledged]:
        """Send rows and wait until all are acknowledged; return the last of each partition. Raises SendFailed."""
        producer = await self._started()
        delivery = asyncio.create_task(self._deliver(producer, rows))
        try:
            await self._watch(delivery)
            return delivery.result()
        except (KafkaError, TimeoutError) as error:
            raise SendFailed from error
        finally:
            if not delivery.done() or delivery.cancelled() or delivery.exception() is not None:
                delivery.cancel()
                await self.discard()

    async def discard(self) -> None:
        """Throw the producer away."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await kafka.discard(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = kafka.producer(self._settings)
            try:
                await kafka.start(self._producer.start(), START_SECONDS)
            except (KafkaError, TimeoutError) as error:
                raise SendFailed from error
            finally:
                if self._producer._sender.sender_task is None:
                    await self.discard()
        return self._producer

    async def _deliver(self, producer: AIOKafkaProducer, rows: Sequence[Row]) -> list[Acknowledged]:
        by_place = sorted(rows, key=lambda row: (row.topic, row.partition))  # a stable sort keeps their order
        sends = [
            self._deliver_partition(producer, topic, partition, list(group))
            for (topic, partition), group in groupby(by_place, key=lambda row: (row.topic, row.partition))
        ]
        # All are waited for: a producer is thrown away, or the mark moved, only when nothing is under way.
        return await _all(sends)

    async def _deliver_partition(
        self, producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[Row]
    ) -> Acknowledged:
        batches = self._batches(producer, rows)
        confirmations = [await producer.send_batch(batch.builder, topic, partition=partition) for batch in batches]
        confirmed = (await _all(confirmations))[-1]
        if confirmed.offset < 0:
            raise KafkaError("acknowledged without an offset")
        final = batches[-1]
        offset = confirmed.offset + final.count - 1
        return Acknowledged(topic, partition, final.last.epoch, final.last.sequence, offset)

    def _batches(self, producer: AIOKafkaProducer, rows: Sequence[Row]) -> list[_Batch]:
        """Put rows of one partition into as few batches as they fit in. FastStream's publish_batch would lose keys."""
        batches: list[_Batch] = []
        for row in rows:
            if batches and self._append(batches[-1].builder, row):
                batches[-1].last = row
                batches[-1].count += 1
                continue
            builder = producer.create_batch()
            self._append(builder, row)
            batches.append(_Batch(builder, row))
        return batches

    def _append(self, builder: BatchBuilder, row: Row) -> bool:
        """Add a row to a batch; False when it is full. An empty batch takes a row of any size."""
        sequence = (row.epoch, row.sequence) if row.kind == "history" else None
        found = headers(
            service=self._service,
            event_id=str(row.event_id),
            type_=row.type,
            sequence=sequence,
            traceparent=row.traceparent,
        )
        return builder.append(timestamp=None, key=row.key.encode(), value=row.value, headers=found) is not None

    async def _watch(self, delivery: "asyncio.Task[list[Acknowledged]]") -> None:
        """Return when `delivery` is done; raise SendFailed when it never will be.

        aiokafka may wait for ever on a connection of before an outage: once the broker was away and answers again,
        what is still unacknowledged goes to a new producer.
        """
        begun = time.monotonic()
        was_away = False
        while not (await asyncio.wait({delivery}, timeout=ASK_AFTER_SECONDS))[0]:
            answers = await kafka.answers(self._settings)
            if delivery.done():
                return
            if answers and (was_away or time.monotonic() - begun > STALLED_SECONDS):
                raise SendFailed
            was_away = was_away or not answers


async def _all(awaited: Iterable[Awaitable[_T]]) -> list[_T]:
    """Wait for all, then raise the first failure if there was one."""
    outcomes = await asyncio.gather(*awaited, return_exceptions=True)
    done: list[_T] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        done.append(outcome)
    return done
