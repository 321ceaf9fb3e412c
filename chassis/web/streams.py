"""Event streams to browsers (`text/event-stream`): their own limit, a heartbeat, and an end when the process stops."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.run.metrics import STREAM_CLIENTS
from chassis.web.problems import Problem

log = structlog.get_logger()

# interfaces.md: a heartbeat every 10 s, by which a browser knows that the line is alive.
HEARTBEAT_SECONDS = 10.0
# As a comment a page never sees it; as an event, its connection knows how old the data is.
HEARTBEAT = b"event: heartbeat\ndata: {}\n\n"
# A reader that takes nothing for this long is gone, or comes back with its last position.
SEND_SECONDS = 10.0
# How soon a browser comes back after an end, so that a restart is felt as a short pause.
RECONNECT_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream. `data` is one line of JSON; `sent` is called once it was handed to the connection."""

    event: str
    data: str
    id: str | None = None
    sent: Callable[[], None] | None = None

    def encode(self) -> bytes:
        """Return the event as the wire has it (HTML standard, section 9.2)."""
        head = f"id: {self.id}\n" if self.id is not None else ""
        lines = "".join(f"data: {line}\n" for line in self.data.splitlines() or [""])
        return f"{head}event: {self.event}\n{lines}\n".encode()


class Streams:
    """The open streams of one process."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End every stream now; browsers come back to another copy, or to this one's successor."""
        self._stopping.set()

    def open(self, events: AsyncIterator[Event]) -> Response:
        """Return the answer that sends `events` until they end, the reader leaves, or the process stops.

        Raises Problem 503 when the process has its full number of streams.
        """
        if self._count >= self._limit or self._stopping.is_set():
            raise Problem(503, "overloaded")
        return _Stream(self, events)

    async def serve(self, events: AsyncIterator[Event], receive: Receive, send: Send) -> None:
        """Send one stream's events over its connection."""
        self._count += 1
        STREAM_CLIENTS.set(self._count)
        ends = [asyncio.ensure_future(self._stopping.wait()), asyncio.ensure_future(_left(receive))]
        try:
            await _send(send, f"retry: {RECONNECT_MILLISECONDS}\n\n".encode() + HEARTBEAT)
            await _forward(events, ends, send)
            await _send(send, b"", more=False)
        except TimeoutError:
            log.info("stream-reader-too-slow")
        finally:
            for task in ends:
                task.cancel()
            self._count -= 1
            STREAM_CLIENTS.set(self._count)


async def _forward(events: AsyncIterator[Event], ends: Sequence[asyncio.Future[Any]], send: Send) -> None:
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            waiting = [*ends, coming]
            await asyncio.wait(waiting, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if any(end.done() for end in ends):
                return
            if not coming.done():
                await _send(send, HEARTBEAT)
                continue
            event = coming.result()
            if event is None:
                return
            await _send(send, event.encode())
            if event.sent is not None:
                event.sent()
            coming = asyncio.ensure_future(anext(events, None))
    finally:
        coming.cancel()
        await asyncio.wait([coming])
        if isinstance(events, AsyncGenerator):
            await events.aclose()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": more})


class _Stream(Response):
    media_type = "text/event-stream"

    def __init__(self, streams: Streams, events: AsyncIterator[Event]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._streams = streams
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await self._streams.serve(self._events, receive, send)
