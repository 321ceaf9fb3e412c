"""What a request may cost: bodies refused before they are read, full queues answered early, streams apart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from chassis.run.service import WebParts
from chassis.web import limits
from chassis.web.app import api_router
from tests.unit.chassis_web.demo import client_of

MIB = 1024 * 1024


class Connection:
    """A client's side of one request at ASGI: what it sends when asked, and what it got."""

    def __init__(self, headers: dict[str, str], chunks: list[bytes]) -> None:
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/api/v1/things",
            "raw_path": b"/api/v1/things",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "state": {},
        }
        self.chunks = chunks
        self.read_before_answer = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.sent:
            self.read_before_answer += 1
        if not self.chunks:
            return {"type": "http.disconnect"}
        body = self.chunks.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.chunks)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])


async def test_declared_large_body_is_refused_before_it_is_read(parts: WebParts) -> None:
    connection = Connection({"content-length": str(MIB + 1)}, [b"x" * MIB, b"x"])
    await parts.app(connection.scope, connection.receive, connection.send)
    assert connection.status == 413
    assert connection.read_before_answer == 0
    assert (b"connection", b"close") in connection.sent[0]["headers"]
    assert connection.chunks == []  # what still comes is thrown away, so that the client reads its answer


async def test_chunked_large_body_is_refused_when_it_passes_the_limit(parts: WebParts) -> None:
    connection = Connection({"transfer-encoding": "chunked"}, [b"x" * 65536] * 40)
    await parts.app(connection.scope, connection.receive, connection.send)
    assert connection.status == 413
    assert connection.read_before_answer == MIB // 65536 + 1


async def test_a_body_of_exactly_the_limit_is_read(clerk: httpx.AsyncClient) -> None:
    body = b'{"name": "a"}'.ljust(MIB)
    response = await clerk.post("/api/v1/things", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "", "0x10", "9" * 30, "１"])
async def test_a_length_that_is_none(parts: WebParts, length: str) -> None:
    connection = Connection({}, [b"{}"])
    connection.scope["headers"] = [(b"content-length", length.encode())]
    await parts.app(connection.scope, connection.receive, connection.send)
    assert connection.status in (400, 413)


async def test_a_body_that_does_not_arrive_is_given_up(parts: WebParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.01)
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.01)
    connection = Connection({"content-length": "10"}, [])

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    await parts.app(connection.scope, never, connection.send)
    assert connection.status == 408


async def test_a_client_that_leaves_gets_nothing(parts: WebParts) -> None:
    connection = Connection({"content-length": "10"}, [])
    await parts.app(connection.scope, connection.receive, connection.send)
    assert connection.sent == []


async def test_metrics_are_by_template_never_by_address(clerk: httpx.AsyncClient) -> None:
    thing = "/api/v1/things/01935a3b-0000-7000-8000-000000000001"
    for path in (thing, "/login", "/health/live", "/330199199001011234"):
        await clerk.get(path)
    page = (await clerk.get("/metrics")).text
    for route in ("/api/v1/things/{thing_id}", "/login", "/health/live", "unmatched"):
        assert f'route="{route}"' in page
    assert "330199199001011234" not in page
    assert "01935a3b" not in page


async def test_a_full_queue_is_answered_at_once(build: Callable[..., WebParts]) -> None:
    parts = build(max_in_flight=2)
    release = asyncio.Event()
    slow = api_router()

    @slow.get("/slow")
    async def wait() -> None:
        await release.wait()

    cast("FastAPI", parts.app).include_router(slow)
    async with client_of(parts) as client:
        waiting = [asyncio.create_task(client.get("/api/v1/slow")) for _each in range(2)]
        for _each in range(10):
            await asyncio.sleep(0)
        refused = await client.get("/api/v1/slow")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["type"] == "urn:anju:problem:overloaded"
        assert (await client.get("/health/live")).status_code == 200
        release.set()
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200, 200]
        assert (await client.get("/api/v1/find")).status_code == 200


async def test_a_request_that_takes_too_long_is_given_up_and_makes_room(
    build: Callable[..., WebParts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_SECONDS", 0.2)
    parts = build(max_in_flight=1)
    ended: list[str] = []
    slow = api_router()

    @slow.get("/slow")
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("given up")

    @slow.get("/times-out")
    async def times_out() -> None:
        raise TimeoutError

    cast("FastAPI", parts.app).include_router(slow)
    async with client_of(parts) as client:
        late = await client.get("/api/v1/slow")
        assert (late.status_code, late.headers["retry-after"]) == (503, "1")
        assert late.json()["type"] == "urn:anju:problem:overloaded"
        assert late.headers["content-security-policy"]
        assert ended == ["given up"]
        assert (await client.get("/api/v1/find")).status_code == 200, "its place is free again"
        own = await client.get("/api/v1/times-out")
        assert (own.status_code, own.json()["type"]) == (500, "urn:anju:problem:internal"), "a fault is not overload"


async def test_a_stream_outlives_the_time_of_an_answer(streaming: WebParts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER_SECONDS", 0.1)
    reader = Reader(streaming, "/api/v1/stream")
    assert (await reader.next())["status"] == 200
    await reader.next()
    done, _ = await asyncio.wait({reader.task}, timeout=0.5)
    assert not done
    reader.left.set()
    await reader.task


class Reader:
    """A browser that reads a stream until it leaves."""

    def __init__(self, parts: WebParts, path: str) -> None:
        self.left = asyncio.Event()
        self.got: asyncio.Queue[Message] = asyncio.Queue()
        scope = Connection({}, []).scope | {"method": "GET", "path": path}
        self.task: asyncio.Task[None] = asyncio.create_task(self._run(parts, scope))
        self._asked = False

    async def _run(self, parts: WebParts, scope: dict[str, Any]) -> None:
        await parts.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.got.put(message)

    async def next(self) -> Message:
        async with asyncio.timeout(2):
            return await self.got.get()


@pytest.fixture
def streaming(build: Callable[..., WebParts]) -> WebParts:
    """An application with a stream that speaks once and then waits."""
    from starlette.requests import Request
    from starlette.responses import Response

    from chassis.web.streams import Event

    parts = build(max_in_flight=1, max_streams=2)
    closed: list[bool] = []
    parts.app.state.closed = closed
    router = api_router()

    async def events() -> AsyncIterator[Event]:
        try:
            yield Event("alert", '{"a": 1}', id="7")
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    @router.get("/stream")
    async def stream(request: Request) -> Response:
        return request.app.state.streams.open(events())  # type: ignore[no-any-return]

    cast("FastAPI", parts.app).include_router(router)
    return parts


async def opened(parts: WebParts) -> Reader:
    reader = Reader(parts, "/api/v1/stream")
    start = await reader.next()
    assert start["status"] == 200
    assert (await reader.next())["body"] == b"retry: 1000\n\nevent: heartbeat\ndata: {}\n\n"
    assert (await reader.next())["body"] == b'id: 7\nevent: alert\ndata: {"a": 1}\n\n'
    return reader


async def test_streams_hold_no_place_of_the_queue_and_have_their_own_limit(streaming: WebParts) -> None:
    readers = [await opened(streaming) for _each in range(2)]
    async with client_of(streaming) as client:
        assert (await client.get("/api/v1/find")).status_code == 200
        full = await client.get("/api/v1/stream")
        assert (full.status_code, full.headers["retry-after"]) == (503, "1")
        readers[0].left.set()
        await asyncio.wait_for(readers[0].task, 2)
        readers.append(await opened(streaming))
        assert streaming.app.state.closed == [True]
    for hook in streaming.on_stop:
        hook()
    await asyncio.wait_for(asyncio.gather(*(reader.task for reader in readers)), 2)
    assert streaming.app.state.closed == [True] * 3
    async with client_of(streaming) as client:
        assert (await client.get("/api/v1/stream")).status_code == 503  # a new one would only be cut again


async def test_a_quiet_stream_beats(streaming: WebParts, monkeypatch: pytest.MonkeyPatch) -> None:
    from chassis.web import streams

    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    reader = await opened(streaming)
    assert (await reader.next())["body"] == b"event: heartbeat\ndata: {}\n\n"
    reader.left.set()
    await asyncio.wait_for(reader.task, 2)


async def test_a_reader_that_takes_nothing_is_let_go(streaming: WebParts, monkeypatch: pytest.MonkeyPatch) -> None:
    from chassis.web import streams

    monkeypatch.setattr(streams, "SEND_SECONDS", 0.01)
    reader = Reader(streaming, "/api/v1/stream")
    reader.got = asyncio.Queue(maxsize=2)  # start and retry pass, the next one waits for ever
    await asyncio.wait_for(reader.task, 2)
    assert streaming.app.state.closed == [True]
