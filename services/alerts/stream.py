"""The live stream of alert changes: numbered in the database, told to every open connection, resumable anywhere."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import orjson
import structlog
from fastapi import APIRouter, Depends, Query, Request, Response

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable
from chassis.run.metrics import ALERT_COMMIT_TO_STREAM_SECONDS
from chassis.web.access import Caller, require
from chassis.web.app import api_router
from chassis.web.streams import Event
from services.alerts.domain.alerts import STREAMED
from services.alerts.use_cases import queries
from services.alerts.use_cases.queries import DepartmentEvent, StreamedChange

log = structlog.get_logger()

CHANNEL = "alert_changes"
DEPARTMENT_CHANNEL = "department_events"
# As the relay names this service in ce_source.
SOURCE = "/anju/alerts"
# NOTIFY is what makes it live; polling finds what a lost connection missed.
POLL_SECONDS = 1.0
# Kept in memory for connections that come back after a moment; older ones are read from the database.
RECENT = 2_000
# Who is further behind than this loads the list anew, which is quicker than so many events.
RESUMABLE = 10_000
PAGE = 500
# No stream lasts long enough to reach it.
LAST_POSITION = 2**63 - 1


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
        # Every board comes back at once after a restart: most of them are a moment behind, and ask no database.
        if after is not None and self._holds_all_after(after):
            return self._follow(after)
        async with self._db.read() as tx:
            position = await queries.stream_position(tx)
            forgotten = await queries.forgotten_position(tx)
        if after is None:
            return self._follow(position)
        if after < forgotten or not 0 <= position - after <= RESUMABLE:
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
        if not self._recent or not self._holds_all_after(position):
            return ()
        return [change for change in self._recent if change.position > position]

    def _holds_all_after(self, position: int) -> bool:
        if self._head is None or not 0 <= self._head - position <= RESUMABLE:
            return False
        return position == self._head or (bool(self._recent) and self._recent[0].position <= position + 1)

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


class DepartmentFeed:
    """One process's view of departments' events: `run` hears of new ones, `open` gives a connection its own."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._heard = asyncio.Event()

    async def run(self) -> None:
        """Wake the open connections for ever; survives the loss of the database."""
        async for _woken in self._db.listen(DEPARTMENT_CHANNEL, poll_seconds=POLL_SECONDS):
            heard, self._heard = self._heard, asyncio.Event()
            heard.set()

    async def open(self, department: str, after: int) -> AsyncIterator[Event]:
        """Return a department's events behind `after`. Raises DatabaseUnavailable, DatabaseBusy."""
        async with self._db.read() as tx:
            head = await queries.department_position(tx, department)
        if after <= head:
            return self._follow(department, after)
        # What the reader has seen never was: the database was restored. Repeats are known by their ce_id.
        return self._follow(department, 0, _reset(0))

    async def _follow(self, department: str, sent: int, *first: Event) -> AsyncIterator[Event]:
        for event in first:
            yield event
        while True:
            heard = self._heard
            try:
                async with self._db.read() as tx:
                    page = await queries.department_events_after(tx, department, sent, PAGE)
            except (DatabaseUnavailable, DatabaseBusy):
                return  # the reader comes back, with the id of what it has seen
            for each in page:
                yield _department_event(each)
                sent = each.position
            if not page:
                await heard.wait()


def _department_event(each: DepartmentEvent) -> Event:
    """The same members as a line of `anju subscribe`."""
    line = {"ce_id": str(each.event_id), "ce_type": each.type, "ce_source": SOURCE, "data": each.value}
    return Event("department", orjson.dumps(line).decode(), str(each.position))


def routes(feed: AlertFeed) -> APIRouter:
    """Return the router."""
    router = api_router()

    @router.get("/alerts/stream")
    async def get_stream(
        request: Request,
        _caller: Annotated[Caller, Depends(require("duty_officer"))],
        after: Annotated[int | None, Query(ge=0, le=LAST_POSITION)] = None,
    ) -> Response:
        """Follow the changes of alerts as server-sent events, from `after` or `Last-Event-ID` on."""
        events = await feed.open(last_event_id(request, after))
        response: Response = request.app.state.streams.open(events)
        return response

    return router


def last_event_id(request: Request, after: int | None) -> int | None:
    """What the reader has seen: a browser that comes back says so in Last-Event-ID, which is newer than its address.

    One that is no position of ours lies beyond any: the reader gets a `reset`.
    """
    text = request.headers.get("last-event-id")
    if not text:
        return after
    return int(text) if text.isascii() and text.isdigit() and int(text) <= LAST_POSITION else LAST_POSITION
