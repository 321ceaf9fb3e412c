"""A reporting of the test's own, and what other services publish to it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr

from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.states import StateRecord
from services.reporting import wiring
from services.reporting.consumers import SOURCES, subscription
from services.reporting.domain.read_models import Owner
from services.reporting.settings import Settings
from tests.parts import Postgres
from tests.provider import ISSUER, TokenProvider
from tests.unit.chassis_web.demo import SECRET

ORIGIN = "http://reporting.test:8104"


def settings_of(dsn: str) -> Settings:
    """Complete settings."""
    return Settings(
        database_url=dsn,
        kafka_bootstrap="127.0.0.1:1",
        kafka_username="reporting",
        kafka_password=SecretStr("not-used"),
        oidc_issuer=ISSUER,
        oidc_client_id="reporting",
        oidc_client_secret=SecretStr("reporting-secret"),
        session_secret=SecretStr(SECRET),
        idempotency_secret=SecretStr(SECRET),
        encryption_keys=SecretStr(f'{{"k1": "{SECRET}"}}'),
        encryption_active="k1",
        public_urls={"reporting": ORIGIN, "portal": ISSUER},
    )


def record(owner: Owner, day: str, division: str, kind: str, version: str, **counts: Any) -> StateRecord:
    """A record of a statistics topic."""
    body = {"day": day, "division_code": division, "kind": kind, "version": version, **counts}
    key, value = f"{day}/{division}/{kind}".encode(), json.dumps(body).encode()
    return StateRecord(ConsumerRecord(SOURCES[owner].topic, 0, 0, 0, 0, key, value, None, len(key), len(value), ()))


@dataclass
class Reporting:
    """A reporting with a reader of its API, and its consumers by hand."""

    db: Database
    http: httpx.AsyncClient
    provider: TokenProvider
    role: str = "manager"

    async def take(self, owner: Owner, *records: StateRecord) -> None:
        """Apply records in one transaction, as the worker does."""
        async with self.db.transaction() as tx:
            await subscription(owner).apply(tx, records)

    async def get(self, path: str) -> httpx.Response:
        """GET with a token."""
        return await self.http.get(path, headers=self.provider.headers(self.role, "city", ""))


@pytest.fixture(scope="session")
async def reporting_schema(postgres: Postgres) -> str:
    """The address of a database with reporting's schema, to copy from."""
    dsn = await postgres.new_database()
    await migrate(dsn, "reporting")
    return dsn


@pytest.fixture
async def reporting(postgres: Postgres, reporting_schema: str) -> AsyncIterator[Reporting]:
    """A reporting with nothing in it."""
    parts = wiring.web(settings_of(await postgres.copy_of(reporting_schema)))
    provider = TokenProvider()
    provider.serve(parts)
    transport = httpx.ASGITransport(app=parts.app, raise_app_exceptions=False)
    assert parts.db is not None
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Reporting(parts.db, http, provider)
    await parts.db.dispose()
