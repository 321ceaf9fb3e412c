"""The live stream of alert changes: numbered in the database, told to every open connection, resumable anywhere."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import orjson
import structlog

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable
from chassis.run.metrics import ALERT_COMMIT_TO_STREAM_SECONDS
from chassis.web.streams import Event
from services.alerts.domain.alerts import STREAMED
from services.alerts.use_cases import queries
from services.alerts.use_cases.queries import StreamedChange

log = structlog.get_logger()

CHANNEL = "alert_changes"
# NOTIFY is what makes it live; polling finds what a lost connection missed.
POLL_SECONDS = 1.0
# Kept in memory for connections that come back after a moment; older ones are read from the database.
RECENT = 2_000
# Who is further behind than this loads the list anew, which is quicker than so many events.
RESUMABLE = 10_000
PAGE = 500


class AlertFeed:
    """One process's view of the stream: `run` follows the database, `open` gives a connection its events."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._recent: deque[StreamedChange] = deque(maxlen=RECENT)
        self._head: int | None = None
        # Grows when the database went back: what connections have seen may never have been.
        self._lives = 0
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Follow the stream for ever; survives the loss of the database."""
        async for _woken in self._db.listen(CHANNEL, poll_seconds=POLL_SECONDS):
            try:
                await self._advance()
            except (DatabaseUnavailable, DatabaseBusy):
                log.warning("stream-without-database")

    async def _advance(self) -> None:
        async with self._db.read() as tx:
            position = await queries.stream_position(tx)
            if self._head is None or position < self._head:
                self._lives += self._head is not None
                self._head = position
                self._recent.clear()
            while self._head < position:
                page = await queries.changes_after(tx, self._head, PAGE)
                self._recent.extend(page)
                self._head = page[-1].position
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def open(self, after: int | None) -> AsyncIterator[Event]:
        """Return the events behind `after`, or from now on. Raises DatabaseUnavailable, DatabaseBusy."""
        async with self._db.read() as tx:
            position = await queries.stream_position(tx)
        if after is None:
            return self._follow(position)
        if not 0 <= position - after <= RESUMABLE:
            return self._follow(position, _reset(position))
        return self._follow(after)

    async def _follow(self, sent: int, *first: Event) -> AsyncIterator[Event]:
        for event in first:
            yield event
        lives = self._lives
        while True:
            moved = self._moved
            if lives != self._lives:
                lives, sent = self._lives, self._head or 0
                yield _reset(sent)
            if self._head is None or self._head <= sent:
                await moved.wait()
                continue
            try:
                page = self._kept_after(sent) or await self._read_after(sent)
            except (DatabaseUnavailable, DatabaseBusy):
                return  # the browser comes back, with the id of what it has seen
            for change in page:
                yield _event(change)
                sent = change.position

    def _kept_after(self, position: int) -> Sequence[StreamedChange]:
        """The changes behind a position, if memory still has all of them; positions have no gaps."""
        if not self._recent or self._recent[0].position > position + 1:
            return ()
        return [change for change in self._recent if change.position > position]

    async def _read_after(self, position: int) -> Sequence[StreamedChange]:
        async with self._db.read() as tx:
            return await queries.changes_after(tx, position, PAGE)


def _event(change: StreamedChange) -> Event:
    """interfaces.md: the alert's id, what happened, severity and state, and no more."""
    data = {
        "alert_id": str(change.alert_id),
        "change": change.change.value if change.change in STREAMED else "updated",
        "severity": change.severity.value,
        "state": change.state.value,
    }

    def sent() -> None:
        ALERT_COMMIT_TO_STREAM_SECONDS.observe(max(0.0, (datetime.now(UTC) - change.numbered_at).total_seconds()))

    return Event("alert", orjson.dumps(data).decode(), str(change.position), sent)


def _reset(position: int) -> Event:
    return Event("reset", orjson.dumps({"stream_position": position}).decode(), str(position))
