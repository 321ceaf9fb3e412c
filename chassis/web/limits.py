"""What a request may cost: its size, its time to arrive and to be answered, and how many are handled at once."""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.web.problems import Problem

# interfaces.md: no call needs more than a few kilobytes; a batch of 10,000 rows has its own address, later.
MAX_BODY = 1024 * 1024
# A client that needs longer for a megabyte holds a slot for nothing.
BODY_SECONDS = 15.0
# Whoever asks has given up by then or sends again: under overload a request that nobody waits for must not hold what
# the next one needs. Longer than any lock is waited for, and than a page of the largest city takes.
ANSWER_SECONDS = 15.0
# After a refusal, what the client still sends is thrown away for a while: it reads an answer only when it is done, and
# a closed connection would take the answer with it (RFC 9112, section 9.6).
LINGER_SECONDS = 3.0
LINGER_BYTES = 32 * MAX_BODY
# These answer however much is going on: who looks after the process needs them then.
ALWAYS = ("/health/", "/metrics")

Answer = Callable[[Request, Problem], Response]


class _Refused(Exception):
    """The body was not read to its end; without a problem when the client is gone."""

    def __init__(self, problem: Problem | None) -> None:
        self.problem = problem


class Limits:
    """ASGI middleware: reads a body that is small enough, refuses what is too large, too slow or too much at once."""

    def __init__(self, app: ASGIApp, max_in_flight: int, answer: Answer) -> None:
        self._app = app
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._reading = 0
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except _Refused as refused:
            if refused.problem is not None:
                await _refuse(self._answer(Request(scope), refused.problem), receive, send)
            return
        problem = _unstorable(scope) or self._overload(scope, self._in_flight)
        if problem is not None:
            await self._answer(Request(scope), problem)(scope, receive, send)
            return
        await self._handle(scope, _replay(body, receive), send)

    def _overload(self, scope: Scope, busy: int) -> Problem | None:
        if busy < self._max_in_flight or str(scope["path"]).startswith(ALWAYS):
            return None
        return Problem(503, "overloaded")

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        if problem := self._overload(scope, self._reading):
            raise _Refused(problem)
        self._reading += 1
        try:
            return await _read_body(scope, receive)
        finally:
            self._reading -= 1

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        counted = True
        deadline = asyncio.timeout(ANSWER_SECONDS)
        self._in_flight += 1

        def release() -> None:
            nonlocal counted
            self._in_flight -= counted
            counted = False

        async def send_and_watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)  # an answer that has begun is finished
                if _is_stream(message):
                    release()  # streams stay open for hours and have their own limit
            await send(message)

        try:
            async with deadline:
                await self._app(scope, receive, send_and_watch)
        except TimeoutError:
            if not deadline.expired():
                raise
            # As with a connection that broke: whether it took effect is known when it is sent again with its key.
            await self._answer(Request(scope), Problem(503, "overloaded"))(scope, receive, send)
        finally:
            release()


def _unstorable(scope: Scope) -> Problem | None:
    """PostgreSQL stores no NUL; no address and no query of ours has one, nor bytes that ought to be encoded."""
    if "\0" in scope["path"]:
        return Problem(404, "not-found")
    if not scope["query_string"].isascii():
        return Problem(400, "malformed-request")
    return Problem(422, "not-storable") if b"%00" in scope["query_string"] else None


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    declared = Headers(scope=scope).get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise _Refused(Problem(400, "malformed-request"))
    if len(declared) > 20 or int(declared) > MAX_BODY:
        raise _Refused(Problem(413, "body-too-large"))
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Refused(None)
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > MAX_BODY:
                    raise _Refused(Problem(413, "body-too-large"))
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise _Refused(Problem(408, "request-timeout")) from None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the application the body that was read, and after it whatever else comes, such as the client's leaving."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _refuse(response: Response, receive: Receive, send: Send) -> None:
    headers = [*response.raw_headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(response.body), "more_body": True})
    thrown_away = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while thrown_away < LINGER_BYTES:
                message = await receive()
                thrown_away += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    break
    except TimeoutError:
        pass  # the answer is sent; a client that still writes has had its time
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_stream(message: Message) -> bool:
    return any(
        name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message.get("headers", ())
    )
