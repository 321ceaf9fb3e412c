"""A process of a service: starts its parts, keeps them running together, and stops them in order within seconds."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog
from starlette.applications import Starlette

from chassis.data.db import Database
from chassis.events.wake import Wake
from chassis.run import logs, tracing
from chassis.run.server import ANSWERS_SECONDS, Server
from chassis.run.settings import ProcessSettings, ServiceSettings
from chassis.run.timers import Timers
from chassis.web.health import Health, HealthCheck, database_check

log = structlog.get_logger()

# `anju demo down` promises an end within 15 s, open streams too; a process takes at most 8 of them.
PARTS_SECONDS = 3.0  # for a relay's or consumer's running transaction
CLOSE_SECONDS = 1.0  # for the database's connections; the last spans go to their collector meanwhile
LEAVE_SECONDS = 1.0
# A matcher that keeps a million objects alive spends its time in collections otherwise (architecture.md, section 5); a
# web process makes thousands for each request, few of them in cycles.
GC_THRESHOLDS = (100_000, 20, 100)

Background = Callable[[], Coroutine[Any, Any, None]]
P = TypeVar("P", bound=ProcessSettings)
S = TypeVar("S", bound=ServiceSettings)


class Runs(Protocol):
    """A part of a worker."""

    async def run(self) -> None:
        """Work for ever; an exception ends the process, which its keeper starts again."""


class Reports(Runs, Protocol):
    """A part that knows what is wrong with it: the relay, the consumers."""

    def health(self) -> Sequence[str]:
        """Return what is wrong, in words; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class WebParts:
    """What a web process runs. `app` comes from `chassis.web.app.create_app`."""

    app: Starlette
    db: Database | None
    health: Health
    background: Sequence[Background] = ()
    on_stop: Sequence[Callable[[], None]] = ()  # called first of all, before requests are waited for


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker process runs: consumers by partition, relay and timers one active copy each."""

    db: Database
    relay: Reports | None = None
    consumers: Reports | None = None
    timers: Timers | None = None
    background: Sequence[Background] = ()
    checks: Sequence[HealthCheck] = field(default=())


def run_web(factory: Callable[[P], WebParts], settings: P) -> None:
    """Run a web process, the portal's too, until SIGTERM or SIGINT; exits the interpreter with the process's code."""
    _run(settings, "web", lambda stop: _web(factory(settings), settings, stop))


def run_worker(factory: Callable[[S], WorkerParts], settings: S) -> None:
    """Run a service's worker process until SIGTERM or SIGINT; exits the interpreter with the process's code."""
    _run(settings, "worker", lambda stop: _worker(factory(settings), settings, stop))


def _run(settings: ProcessSettings, component: str, main: Callable[[asyncio.Event], Awaitable[bool]]) -> None:
    logs.configure(settings.service(), component, settings.log_level)
    tracing.configure(settings.service(), settings.trace_sample_ratio, settings.otlp_endpoint)
    _loop(main)


def _loop(main: Callable[[asyncio.Event], Awaitable[bool]]) -> None:
    async def with_signals() -> bool:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_loop_error)
        stop = asyncio.Event()

        def stop_or_quit() -> None:
            if stop.is_set():
                os._exit(1)  # asked twice: somebody does not want to wait
            stop.set()

        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stop_or_quit)
        return await main(stop)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        clean = runner.run(with_signals())
    sys.exit(0 if clean else 1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("loop-error", exc_info=context.get("exception"))


async def _web(parts: WebParts, settings: ProcessSettings, stop: asyncio.Event) -> bool:
    server = Server(parts.app, settings.host, settings.port)

    def stopping() -> None:
        parts.health.stopping = True
        for hook in parts.on_stop:
            hook()

    return await _together(server, parts.background, stop, stopping, parts.db)


async def _worker(parts: WorkerParts, settings: ServiceSettings, stop: asyncio.Event) -> bool:
    own = part_checks(relay=parts.relay, consumers=parts.consumers)
    health = Health([database_check(parts.db, settings.service()), *parts.checks, *own])
    running = [part.run for part in (parts.relay, parts.consumers, parts.timers) if part is not None]
    server = Server(Starlette(routes=health.routes()), settings.host, settings.worker_port)

    def stopping() -> None:
        health.stopping = True

    return await _together(server, [*running, *parts.background], stop, stopping, parts.db)


def part_checks(**parts: Reports | None) -> list[HealthCheck]:
    """Return for each part of a worker that there is the check of what it says is wrong with it."""

    def check(name: str, part: Reports) -> HealthCheck:
        async def find() -> Sequence[str]:
            return part.health()

        return HealthCheck(name, find)

    return [check(name, part) for name, part in parts.items() if part is not None]


async def _together(
    server: "Server",
    background: Sequence[Background],
    stop: asyncio.Event,
    stopping: Callable[[], None] = lambda: None,
    db: Database | None = None,
) -> bool:
    """Run everything until `stop`, or until one part ends, which is a fault; return whether the end was asked for."""
    if not server.bind():
        return False
    if db is not None:
        db.after_every_commit(Wake(db))
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
    serving = asyncio.create_task(server.serve_until_told(), name="http")
    parts = [asyncio.create_task(_forever(run), name=_name(run)) for run in background]
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait([asked, serving, *parts], return_when=asyncio.FIRST_COMPLETED)
    clean = stop.is_set()
    for ended in (serving, *parts):
        if ended.done() and not clean:
            log.critical("part-ended", step=_code(ended.get_name()), exc_info=ended.exception())
    log.info("stopping")
    stopping()
    server.should_exit = True
    for part in parts:
        part.cancel()
    await asyncio.wait([serving, *parts], timeout=ANSWERS_SECONDS + PARTS_SECONDS)
    asked.cancel()
    await asyncio.gather(_close(db), asyncio.to_thread(tracing.close, CLOSE_SECONDS))
    log.info("stopped")
    _leave(clean)
    return clean


async def _close(db: Database | None) -> None:
    if db is not None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await db.dispose()
        except TimeoutError:
            log.warning("database-slow-to-close")


def _leave(clean: bool) -> None:
    """End the process soon, whatever is left in its loop.

    All is done and closed by now. asyncio waits without limit for cancelled tasks and for threads, and a client of
    Kafka may swallow its cancellation: the process would be killed at the end of its grace instead of ending well.
    """
    ending = threading.Timer(LEAVE_SECONDS, os._exit, [0 if clean else 1])
    ending.daemon = True
    ending.start()


async def _forever(run: Background) -> None:
    await run()
    raise RuntimeError("a part that runs for ever returned")


def _name(run: Background) -> str:
    return getattr(run, "__qualname__", type(run).__name__)


def _code(name: str) -> str:
    return name.lower().replace(".<locals>", "").replace("_", "-").strip("-.")
