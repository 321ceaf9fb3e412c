"""Health pages of a process: alive, ready or not with the reasons, and its metrics."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
import sqlalchemy as sa
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import ProgrammingError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable

log = structlog.get_logger()

# A check that takes longer is a reason of its own: who asks waits no longer than this.
CHECK_SECONDS = 3.0
# Checks run at most so often, however often they are asked for.
FRESH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing a process needs. `find` returns what is wrong, in words for an administrator; or nothing."""

    name: str
    find: Callable[[], Awaitable[Sequence[str]]]


class Health:
    """The checks of one process and their latest result."""

    def __init__(self, checks: Sequence[HealthCheck]) -> None:
        self.checks = list(checks)
        self.stopping = False
        self._latest: tuple[float, list[str]] | None = None
        self._turn = asyncio.Lock()

    async def reasons(self) -> list[str]:
        """Return why the process is not ready, each as `check: reason`; empty when it is."""
        if self.stopping:
            return ["process: stopping"]
        async with self._turn:
            if self._latest is None or time.monotonic() - self._latest[0] > FRESH_SECONDS:
                found = await asyncio.gather(*map(_run, self.checks))
                self._latest = (time.monotonic(), [reason for reasons in found for reason in reasons])
            return self._latest[1]

    def routes(self) -> list[Route]:
        """Return the routes of the three pages."""
        return [
            Route("/health/live", self._live, include_in_schema=False),
            Route("/health/ready", self._ready, include_in_schema=False),
            Route("/metrics", _metrics, include_in_schema=False),
        ]

    async def _live(self, request: Request) -> Response:
        return _json(200, {"status": "live"})

    async def _ready(self, request: Request) -> Response:
        reasons = await self.reasons()
        return _json(503, {"status": "unready", "reasons": reasons}) if reasons else _json(200, {"status": "ready"})


async def _run(check: HealthCheck) -> list[str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return [f"{check.name}: {reason}" for reason in await check.find()]
    except TimeoutError:
        return [f"{check.name}: no answer within {CHECK_SECONDS:g} s"]
    except Exception as error:
        log.error("health-check-failed", check=check.name, exc_info=error)
        return [f"{check.name}: the check itself failed, see the log"]


def database_check(db: Database, service: str) -> HealthCheck:
    """Return the check that the database answers and has the schema that this code expects."""

    right: list[str] | None = None  # what a schema that fits says of itself: of another one Alembic is asked

    async def find() -> Sequence[str]:
        nonlocal right
        try:
            there = await _revisions(db)
            if there == right:
                return []
            waiting = await _waiting_migrations(db, service)
        except DatabaseBusy:
            return ["every connection is in use"]
        except DatabaseUnavailable:
            return ["not reachable"]
        if waiting is None:
            return ["its schema is newer than this program: run the version of Anju that migrated it"]
        if waiting:
            return [f"migrations not applied ({', '.join(waiting)}): run anju migrate {service}"]
        right = there
        return []

    return HealthCheck("database", find)


async def _revisions(db: Database) -> list[str]:
    try:
        async with db.transaction() as tx:
            return [row.version_num for row in await tx.all(sa.text("SELECT version_num FROM alembic_version"))]
    except ProgrammingError:
        return []  # nobody has migrated it yet


async def _waiting_migrations(db: Database, service: str) -> list[str] | None:
    """Return what is not applied, None where the schema has what this program does not know."""
    from alembic.script.revision import RevisionError

    from chassis.data import migrations  # Alembic is a fifth of a second of start-up: not before it is needed

    try:
        return await migrations.pending(db, service)
    except RevisionError:
        return None


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST, headers={"cache-control": "no-store"})


def _json(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers={"cache-control": "no-store"})
