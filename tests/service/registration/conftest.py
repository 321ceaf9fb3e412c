"""A registration of the test's own: migrated database, units, two premises, its API, and who may call it."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.data.migrations import migrate
from chassis.events.tables import outbox
from services.registration.domain.premises import Premises, Room
from services.registration.settings import Settings
from services.registration.use_cases.follow_premises import follow_premises
from services.registration.use_cases.load_units import load_units
from services.registration.wiring import read_units_file, web
from tests.parts import Postgres
from tests.people import People
from tests.provider import ISSUER, TokenProvider

ROOT = Path(__file__).resolve().parents[3]
SECRET = base64.b64encode(b"s" * 32).decode()
KEYRING = Keyring({"k1": b"s" * 32}, "k1")
HOTEL = Premises(
    premises_id=UUID("01930000-0000-7000-8000-000000000001"),
    kind="hotel",
    status="open",
    address="柳堤街道湖滨路 8 号",
    division_code="330199001001",
    operator_unit="hotel-01",
    rooms=(Room("0801", "bedroom", 2), Room("0802", "bedroom", 1), Room("B1", "storage", 0)),
)
FLAT = Premises(
    premises_id=UUID("01930000-0000-7000-8000-000000000002"),
    kind="rental",
    status="open",
    address="青湾街道 100% 路 2 号",
    division_code="330199002003",
    operator_unit=None,
    rooms=(Room("1", "bedroom", 2),),
)


@dataclass
class Desk:
    """A desk's client: one role and unit, a fresh idempotency key for each call."""

    http: httpx.AsyncClient
    provider: TokenProvider
    role: str = "clerk"
    unit: str = "station-01"
    name: str = ""
    why: dict[str, str] = field(default_factory=lambda: {"purpose": "registration_service", "case": "A-1"})

    async def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> httpx.Response:
        """POST with a token, and with purpose and case."""
        sent = self.provider.headers(self.role, self.unit, self.name, **self.why) | headers
        return await self.http.post(
            f"/api/v1{path}", json=body, headers={"idempotency-key": key or str(uuid4())} | sent
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """GET with a token, and with purpose and case."""
        sent = self.provider.headers(self.role, self.unit, self.name, **self.why) | headers
        return await self.http.get(f"/api/v1{path}", headers=sent)

    async def arrive(self, **changes: Any) -> dict[str, Any]:
        """Register an arrival that must succeed."""
        answer = await self.post("/arrivals", arrival(**changes))
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    @property
    def subject(self) -> str:
        """The person at this desk."""
        return self.provider.subject(self.role, self.unit, self.name)


PEOPLE = People(4001)


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def arrival(**changes: Any) -> dict[str, Any]:
    """An arrival of somebody new at the hotel, as a client sends it."""
    body: dict[str, Any] = {
        "person": PEOPLE.person(),
        "premises_id": str(HOTEL.premises_id),
        "room": "0801",
        "kind": "hotel_guest",
        "arrived_at": now().isoformat(),
        "legal_basis": "hotel_register",
    }
    return body | changes


@pytest.fixture(scope="session")
async def registration_schema(postgres: Postgres) -> str:
    """The address of a database with registration's schema, its units and two premises, to copy from."""
    dsn = await postgres.new_database()
    await migrate(dsn, "registration")
    database = Database(dsn, service="registration")
    async with database.transaction() as tx:
        await load_units(tx, read_units_file(ROOT / "deploy" / "units.yaml"))
    async with database.transaction() as tx:
        await follow_premises(tx, [(HOTEL, (1, 1)), (FLAT, (1, 1))])
    async with database.transaction() as tx:
        await tx.execute(sa.delete(outbox))
    await database.dispose()
    return dsn


@pytest.fixture
async def dsn(postgres: Postgres, registration_schema: str) -> str:
    """The address of this test's database."""
    return await postgres.copy_of(registration_schema)


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Database]:
    """This test's database."""
    database = Database(dsn, service="registration")
    yield database
    await database.dispose()


@pytest.fixture
def settings(dsn: str) -> Settings:
    """Complete settings."""
    keys = json.dumps({"k1": SECRET})
    return Settings.model_validate(
        {
            "environment": "test",
            "database_url": dsn,
            "kafka_bootstrap": "127.0.0.1:1",
            "kafka_username": "registration",
            "kafka_password": "not-used",
            "oidc_issuer": ISSUER,
            "oidc_client_id": "registration",
            "oidc_client_secret": "not-used",
            "session_secret": SECRET,
            "idempotency_secret": SECRET,
            "encryption_keys": keys,
            "encryption_active": "k1",
            "lookup_token_keys": json.dumps({"k1": base64.b64encode(b"l" * 32).decode()}),
            "lookup_token_active": "k1",
            "matching_token_keys": json.dumps({"m1": base64.b64encode(b"m" * 32).decode()}),
            "matching_token_active": "m1",
            "units_file": ROOT / "deploy" / "units.yaml",
            "public_urls": {"registration": "http://registration.test", "portal": ISSUER},
        }
    )


@pytest.fixture
async def clerk(settings: Settings) -> AsyncIterator[Desk]:
    """The desk of station-01; `replace(clerk, role=…, unit=…)` makes others."""
    parts = web(settings)
    provider = TokenProvider()
    provider.serve(parts)
    transport = httpx.ASGITransport(app=parts.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://registration.test") as http:
        yield Desk(http, provider)
    assert parts.db is not None
    await parts.db.dispose()


async def emitted(db: Database, topic: str) -> list[dict[str, Any]]:
    """What stands in the outbox for a topic, in order: type, key and value."""
    async with db.read() as tx:
        rows = await tx.all(sa.select(outbox).where(outbox.c.topic == topic).order_by(outbox.c.id))
    return [{"type": row.type, "key": row.key, **json.loads(row.value or b"{}")} for row in rows]
