"""The outermost layer of a web process: language, trace, log line, metric, security headers, and the last net."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.run import tracing
from chassis.run.metrics import HTTP_REQUEST_SECONDS
from chassis.web import i18n
from chassis.web.problems import Problem

log = structlog.get_logger()

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every second by machines: in the metrics, but a log line each would hide everything else.
QUIET = ("/health/", "/metrics", "/assets/")
CLIENT_LEFT = 499  # what proxies write for a client that did not wait for its answer
LANGUAGE_COOKIE = "anju_lang"

Answer = Callable[[Request, Problem], Response]


def security_headers(form_targets: str) -> dict[str, str]:
    """Return the headers of every answer. `form_targets` are origins that a form's answer may lead to (log-out).

    Nothing inline is allowed; `data:` images are the arrow and check marks in Tabler's style sheet.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; form-action 'self' {form_targets}".rstrip()
        + "; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }


class Edge:
    """ASGI middleware around everything. An exception that nobody knows becomes a 500 without a word of it.

    What a stopping process can no longer wait for is a 503: whether it took effect is known when it is sent again.
    """

    def __init__(self, app: ASGIApp, headers: dict[str, str], answer: Answer) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or pass on the application's start and stop."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        chosen = cookie_parser(headers.get("cookie", "")).get(LANGUAGE_COOKIE, "")
        tag = i18n.negotiate(headers.get("accept-language", ""), chosen)
        with i18n.reading(tag), tracing.span("request", headers.get("traceparent"), "server"):
            await self._observed(scope, receive, send)

    async def _observed(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status, ended = time.perf_counter(), 0, 0.0

        async def send_with_headers(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status, ended = message["status"], time.perf_counter()
                _complete(message, self._headers)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            log.error("request-failed", route=_route(scope), method=_method(scope), exc_info=error)
            if status:
                raise  # the answer has begun: only closing the connection tells the client
            await self._answer(Request(scope), Problem(500, "internal"))(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            # Only the server cancels, when it stops and this took too long; it would answer with a bare 500.
            if status:
                raise
            await self._answer(Request(scope), Problem(503, "stopping"))(scope, receive, send_with_headers)
        finally:
            self._record(scope, status or CLIENT_LEFT, (ended or time.perf_counter()) - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), _method(scope)
        tracing.rename(f"{method} {route}")
        HTTP_REQUEST_SECONDS.labels(method, route, str(status)).observe(seconds)
        if not str(scope["path"]).startswith(QUIET):
            log.info("request", method=method, route=route, status=status, seconds=round(seconds, 6))


def _complete(message: Message, always: Sequence[tuple[bytes, bytes]]) -> None:
    headers = list(message.get("headers", ()))
    given = {name.lower() for name, _ in headers}
    headers += [(name, value) for name, value in always if name not in given]
    if b"cache-control" not in given:
        headers += [(b"cache-control", b"no-store"), (b"content-language", i18n.language().encode())]
    message["headers"] = headers


def _route(scope: Scope) -> str:
    """Return the template, `/api/v1/stays/{stay_id}`: an address as it came may hold anything."""
    route, endpoint = scope.get("route"), scope.get("endpoint")
    if route is None and endpoint is not None:  # FastAPI names its own kind of routes only
        route = next((each for each in scope["app"].router.routes if getattr(each, "endpoint", None) == endpoint), None)
    return str(getattr(route, "path", "unmatched"))


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else "other"
