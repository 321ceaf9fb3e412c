"""A service of the chassis alone, as a process: `python demo_process.py web|worker PORT [broken|stubborn|otlp=URL]`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from starlette.requests import Request
from starlette.responses import Response

from chassis.data.db import Database
from chassis.run.service import WebParts, WorkerParts, run_web, run_worker
from chassis.run.settings import ServiceSettings
from chassis.web.app import api_router, create_app
from chassis.web.streams import Event
from tests.unit.chassis_web.demo import api, make_settings

streams = api_router()


async def endless() -> AsyncIterator[Event]:
    """Speak once, then wait for ever."""
    yield Event("alert", "{}", id="1")
    await asyncio.Event().wait()


@streams.get("/stream")
async def stream(request: Request) -> Response:
    """Open a stream."""
    return request.app.state.streams.open(endless())  # type: ignore[no-any-return]


@streams.get("/slow")
async def slow(seconds: float) -> dict[str, float]:
    """Answer late, and say so at once."""
    print('{"event": "slow-began"}', flush=True)
    await asyncio.sleep(seconds)
    return {"seconds": seconds}


async def fails() -> None:
    """A part that ends by itself."""
    await asyncio.sleep(0.1)
    raise ValueError("hunter2")


async def stubborn() -> None:
    """A part that does not end when it is cancelled, as a library's task may."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


def web(settings: ServiceSettings) -> WebParts:
    """Compose the web process."""
    db = Database(settings.database_url, service="demo")
    background = [fails] if "broken" in sys.argv else []
    return create_app(settings, db, title="Demo", routers=[api, streams], background=background)


def worker(settings: ServiceSettings) -> WorkerParts:
    """Compose the worker process."""
    waits = stubborn if "stubborn" in sys.argv else asyncio.Event().wait
    return WorkerParts(Database(settings.database_url, service="demo"), background=[waits])  # type: ignore[list-item]


if __name__ == "__main__":
    port = int(sys.argv[2])
    collector = next((word.removeprefix("otlp=") for word in sys.argv if word.startswith("otlp=")), "")
    if sys.argv[1] == "web":
        run_web(web, make_settings(port=port, otlp_endpoint=collector))
    else:
        run_worker(worker, make_settings(worker_port=port, otlp_endpoint=collector))
