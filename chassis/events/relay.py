"""The relay: carries a service's outbox to Kafka, in order, none lost; one copy of a service works, the others wait."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import structlog
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable, Exclusive
from chassis.data.transaction import driver_of
from chassis.events import outage_logs, relay_places
from chassis.events.comparison import compare
from chassis.events.kafka import KafkaSettings, partition_of
from chassis.events.logs import KafkaSilent
from chassis.events.mending import Mending
from chassis.events.published import Published
from chassis.events.relay_rows import Fenced, RelayRows, Row, backlog
from chassis.events.sending import SendFailed, Sending
from chassis.events.standing import KafkaAhead
from chassis.events.wake import CHANNEL
from chassis.run import metrics, tracing

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
MEASURE_SECONDS = 5.0
# A topic that somebody made anew while nothing is sent is noticed within this.
LOOK_SECONDS = 60.0
COMPARE_SECONDS = 24 * 3600.0
COMPARE_AGAIN_SECONDS = 10.0
# A relay that refuses gives its lock back in between, so that `anju recover` gets it.
REFUSAL_SECONDS = 2.0
# Of several copies any may be the one that refused last: the others' word is good for this long.
REFUSAL_STANDS_SECONDS = 30.0
# An event that has waited this long is no hiccup: the service says so on its health page.
LATE_SECONDS = 30.0


class Relay:
    """Any number of copies call `run`; the one that holds the service's lock sends."""

    def __init__(
        self,
        db: Database,
        kafka: KafkaSettings,
        service: str,
        published: Published | None = None,
        batch: int = BATCH,
    ) -> None:
        self._db = db
        self._kafka = kafka
        self._service = service
        self._published = published or Published()
        self._batch = batch
        self._sending = Sending(kafka, service)
        self._mending = Mending(db, kafka, service, self._published, self._sending, batch)
        self._woken = asyncio.Event()
        self._compare_due = asyncio.Event()
        self._next_look, self._looked = 0.0, False
        # The highest relay number that was tried: what is sent at or below it is sent again.
        self._tried = 0
        self._sends = False
        self._late = 0.0
        self._lost: Sequence[relay_places.Lost] = ()
        self._refused_at: float | None = None

    def wake(self) -> None:
        """Look for rows now. Call it in the relay's own event loop."""
        self._woken.set()

    def health(self) -> Sequence[str]:
        """Say what keeps events from Kafka, also where another copy is to send them, and what Kafka lost."""
        problems = [
            f"{each.topic}[{each.partition}]: {each.lost} records were lost in Kafka and are not kept here;"
            f" `anju outbox accept-loss {self._service}` once it is known"
            for each in self._lost
        ]
        problems += [f"{topic}: there is no such topic; `anju topics apply`" for topic in self._mending.missing_topics]
        if self._refused_at is not None and time.monotonic() - self._refused_at < REFUSAL_STANDS_SECONDS:
            problems.append(
                "outbox: Kafka has events that this database does not know, as after a restore; nothing is sent until"
                f" `anju recover {self._service}`"
            )
        if self._late >= LATE_SECONDS:
            problems.append(f"outbox: the oldest event has waited {self._late:.0f} s for Kafka")
        return problems

    async def run(self) -> None:
        """Work for ever; survives the loss of database and broker, and being fenced by another copy."""
        outage_logs.shorten()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._measure())
            tasks.create_task(self._take_turns())

    async def _take_turns(self) -> None:
        while True:
            rest = LOCK_RETRY_SECONDS
            try:
                async with self._db.exclusive("relay") as lock:
                    await self._reign(lock)
            except* KafkaAhead as ahead:
                self._refuse(ahead)
                rest = REFUSAL_SECONDS
            except* Fenced:
                log.warning("relay-fenced")
            except* (DatabaseUnavailable, DatabaseBusy, DBAPIError, OSError) as lost:
                log.warning("relay-without-database", exc_info=lost)
            finally:
                self._sends, self._lost = False, ()
                await self._sending.discard()
            await asyncio.sleep(rest)

    def _refuse(self, ahead: BaseExceptionGroup[KafkaAhead]) -> None:
        if self._refused_at is None:
            log.error("relay-refuses", exc_info=ahead)
        self._refused_at = time.monotonic()
        metrics.RELAY_REFUSES.set(1)

    async def _reign(self, lock: Exclusive) -> None:
        async with self._db.connection() as connection:
            driver = driver_of(connection)
            try:
                rows = await RelayRows.claim(connection)
                self._sends = True
                log.info("relay-began", position=rows.sent, count=rows.numbered - rows.sent)
                self._tried = max(self._tried, rows.sent)
                self._next_look, self._looked = 0.0, False
                self._compare_due.clear()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_hold(lock))
                    tasks.create_task(self._listen())
                    tasks.create_task(self._watch_places())
                    tasks.create_task(self._work(rows))
                    tasks.create_task(self._compare())
            finally:
                # A statement that was cancelled may still be at work: nobody shall be given its connection.
                driver.terminate()

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
            except (SendFailed, KafkaSilent) as error:
                log.warning("relay-sends-again", position=rows.sent, exc_info=error)
                self._next_look = 0.0
                await asyncio.sleep(rest)
                rest = min(2 * rest, LONGEST_REST_SECONDS)
                continue
            if not busy:
                await self._woken.wait()

    async def _step(self, rows: RelayRows) -> bool:
        """Send a batch: what is numbered already before anything new. Return whether there was any."""
        if time.monotonic() >= self._next_look:
            await self._look(rows)
        batch = await rows.unsent(self._batch) if rows.sent < rows.numbered else await self._number(rows)
        if not batch:
            return False
        again = [row for row in batch if row.relay_number <= self._tried]
        self._tried = max(self._tried, batch[-1].relay_number)
        _count(metrics.RELAY_RESENT, again)
        with _traced(batch) as traced:
            acknowledged = await self._sending.send(traced)
        if rows.went_back(acknowledged):
            # Nothing else would tell that a topic was made anew under a producer that stayed connected.
            raise SendFailed
        await rows.advance(batch[-1].relay_number, acknowledged)
        _count(metrics.RELAY_SENT, batch)
        return True

    async def _look(self, rows: RelayRows) -> None:
        """Before anything is sent: does what was acknowledged stand, and is Kafka not ahead? Raises KafkaAhead."""
        states_lost = await self._mending.look(rows)
        if self._refused_at is not None:
            # It may have been a comparison that found Kafka ahead, which no look at the ends of logs would.
            await compare(self._db, self._kafka, self._published)
            self._refused_at = None
            metrics.RELAY_REFUSES.set(0)
        if states_lost or not self._looked:
            self._compare_due.set()
        self._looked = True
        self._next_look = time.monotonic() + LOOK_SECONDS

    async def _compare(self) -> None:
        """Compare states with their topics once the relay has looked, whenever a log lost records, and once a day."""
        await self._compare_due.wait()
        while True:
            self._compare_due.clear()
            rest = COMPARE_SECONDS
            try:
                await compare(self._db, self._kafka, self._published)
            except KafkaSilent as error:
                log.warning("states-not-compared", exc_info=error)
                rest = COMPARE_AGAIN_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._compare_due.wait()

    async def _number(self, rows: RelayRows) -> list[Row]:
        found = await rows.unnumbered(self._batch)
        if not found:
            return []
        counts = {topic: await self._sending.partitions(topic) for topic in {row.topic for row in found}}
        return await rows.number(found, [partition_of(row.key, counts[row.topic]) for row in found])

    async def _measure(self) -> None:
        """Every copy knows how late the outbox is: one that should send and does not might not say it of itself."""
        while True:
            try:
                async with asyncio.timeout(MEASURE_SECONDS):
                    now = await backlog(self._db)
                self._late = now.oldest_seconds
                metrics.OUTBOX_UNSENT.set(now.unsent if self._sends else 0)
                metrics.OUTBOX_OLDEST_SECONDS.set(now.oldest_seconds if self._sends else 0)
            except (DatabaseUnavailable, DatabaseBusy, DBAPIError, OSError):
                # What was measured last stands: the database has a check of its own, and the relay logs the loss.
                log.debug("outbox-not-measured")
            await asyncio.sleep(MEASURE_SECONDS)

    async def _watch_places(self) -> None:
        while True:
            self._lost = await relay_places.losses(self._db)
            for topic in self._published.histories:
                metrics.RELAY_LOST.labels(topic).set(sum(each.lost for each in self._lost if each.topic == topic))
            if await relay_places.wishes(self._db):
                self._next_look = min(self._next_look, time.monotonic())
                self.wake()
            await asyncio.sleep(MEASURE_SECONDS)


@contextmanager
def _traced(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Name in each record of a trace the span of its sending, which ends with the block."""
    with ExitStack() as spans:
        yield [
            row._replace(
                traceparent=spans.enter_context(tracing.aside(f"send {row.topic}", row.traceparent, "producer"))
            )
            if row.traceparent
            else row
            for row in rows
        ]


async def _hold(lock: Exclusive) -> None:
    while True:
        await asyncio.sleep(CONFIRM_SECONDS)
        await lock.confirm()


def _count(counter: Counter, rows: Sequence[Row]) -> None:
    for topic in {row.topic for row in rows}:
        counter.labels(topic).inc(sum(row.topic == topic for row in rows))
