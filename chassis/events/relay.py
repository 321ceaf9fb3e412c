"""The relay: carries a service's outbox to Kafka, in order, none lost; one copy of a service works, the others wait."""

import asyncio
from collections.abc import Sequence

import structlog
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable, Exclusive
from chassis.events import outage_logs
from chassis.events.kafka import KafkaSettings, partition_of
from chassis.events.relay_rows import Fenced, RelayRows, Row, backlog
from chassis.events.sending import SendFailed, Sending
from chassis.events.wake import CHANNEL
from chassis.run import metrics

log = structlog.get_logger()

# Larger batches were no faster and would make a failure's repetition longer.
BATCH = 500
# A NOTIFY wakes the relay; where one was lost, rows wait no longer than this.
POLL_SECONDS = 0.5
# After a failure: soon at first, since most are short, and never more often than a broker in trouble can bear.
FIRST_REST_SECONDS = 0.1
LONGEST_REST_SECONDS = 1.0
LOCK_RETRY_SECONDS = 0.5
CONFIRM_SECONDS = 2.0
LOOK_SECONDS = 5.0
# An event that has waited this long is no hiccup: the service says so on its health page.
LATE_SECONDS = 30.0


class Relay:
    """Any number of copies call `run`; the one that holds the service's lock sends."""

    def __init__(self, db: Database, kafka: KafkaSettings, service: str, batch: int = BATCH) -> None:
        self._db = db
        self._batch = batch
        self._sending = Sending(kafka, service)
        self._woken = asyncio.Event()
        # The highest relay number that was tried: what is sent at or below it is sent again.
        self._tried = 0
        self._late = 0.0

    def wake(self) -> None:
        """Look for rows now. Call it in the relay's own event loop."""
        self._woken.set()

    def health(self) -> Sequence[str]:
        """Say that events wait for long; empty when none does, or when another copy is the one that sends."""
        if self._late < LATE_SECONDS:
            return ()
        return (f"outbox: the oldest event has waited {self._late:.0f} s for Kafka",)

    async def run(self) -> None:
        """Work for ever; survives the loss of database and broker, and being fenced by another copy."""
        outage_logs.shorten()
        while True:
            try:
                async with self._db.exclusive("relay") as lock:
                    await self._reign(lock)
            except* Fenced:
                log.warning("relay-fenced")
            except* (DatabaseUnavailable, DatabaseBusy, DBAPIError, OSError) as lost:
                log.warning("relay-without-database", exc_info=lost)
            finally:
                self._late = 0.0
                await self._sending.discard()
            await asyncio.sleep(LOCK_RETRY_SECONDS)

    async def _reign(self, lock: Exclusive) -> None:
        async with self._db.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            rows = await RelayRows.claim(connection)
            log.info("relay-began", position=rows.sent, count=rows.numbered - rows.sent)
            self._tried = max(self._tried, rows.sent)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_hold(lock))
                tasks.create_task(self._listen())
                tasks.create_task(self._look())
                tasks.create_task(self._work(rows))

    async def _listen(self) -> None:
        async for _ in self._db.listen(CHANNEL, poll_seconds=POLL_SECONDS):
            self.wake()

    async def _work(self, rows: RelayRows) -> None:
        rest = FIRST_REST_SECONDS
        while True:
            self._woken.clear()
            try:
                busy = await self._step(rows)
                rest = FIRST_REST_SECONDS
            except SendFailed as error:
                log.warning("relay-sends-again", position=rows.sent, exc_info=error)
                await asyncio.sleep(rest)
                rest = min(2 * rest, LONGEST_REST_SECONDS)
                continue
            if not busy:
                await self._woken.wait()

    async def _step(self, rows: RelayRows) -> bool:
        """Send a batch: what is numbered already before anything new. Return whether there was any."""
        batch = await rows.unsent(self._batch) if rows.sent < rows.numbered else await self._number(rows)
        if not batch:
            return False
        again = [row for row in batch if row.relay_number <= self._tried]
        self._tried = max(self._tried, batch[-1].relay_number)
        _count(metrics.RELAY_RESENT, again)
        acknowledged = await self._sending.send(batch)
        await rows.advance(batch[-1].relay_number, acknowledged)
        _count(metrics.RELAY_SENT, batch)
        return True

    async def _number(self, rows: RelayRows) -> list[Row]:
        found = await rows.unnumbered(self._batch)
        if not found:
            return []
        counts = {topic: await self._sending.partitions(topic) for topic in {row.topic for row in found}}
        return await rows.number(found, [partition_of(row.key, counts[row.topic]) for row in found])

    async def _look(self) -> None:
        while True:
            now = await backlog(self._db)
            metrics.OUTBOX_UNSENT.set(now.unsent)
            metrics.OUTBOX_OLDEST_SECONDS.set(now.oldest_seconds)
            self._late = now.oldest_seconds
            await asyncio.sleep(LOOK_SECONDS)


async def _hold(lock: Exclusive) -> None:
    while True:
        await asyncio.sleep(CONFIRM_SECONDS)
        await lock.confirm()


def _count(counter: Counter, rows: Sequence[Row]) -> None:
    for topic in {row.topic for row in rows}:
        counter.labels(topic).inc(sum(row.topic == topic for row in rows))
