"""Alerts' database and processes for its tests: a migrated database each, a worker's matcher, the web's API."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.data.migrations import migrate
from chassis.events.records import Record
from chassis.events.tables import outbox
from chassis.run.service import WebParts
from contracts import envelope, topics
from policy import packs
from services.alerts import wiring
from services.alerts.consumers import StayReader
from services.alerts.domain.contents import Instrument, NoticeKind, Token
from services.alerts.domain.notices import Notice, Why
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import signing_key_from, verifier_from
from services.alerts.domain.subjects import Document, Subject
from services.alerts.registration_client import RegistrationClient
from services.alerts.settings import Settings
from services.alerts.storage.tables import alert_changes, alerts
from services.alerts.use_cases.approve_notice import approve_notice
from services.alerts.use_cases.propose_notice import Proposal, propose_notice
from services.alerts.use_cases.refresh_watchlist import WatchlistKeeper
from services.alerts.use_cases.withdraw_notice import withdraw_notice
from services.alerts.watchlist import Watchlist
from tests.parts import Postgres
from tests.provider import ISSUER, TokenProvider
from tests.service.alerts.callers import Api, Browser

SECRET = base64.b64encode(b"s" * 32).decode()
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = {"sign-1": PRIVATE.public_key().public_bytes_raw()}
SIGNER = signing_key_from(PRIVATE.private_bytes_raw(), PUBLIC)
KEYRING = Keyring({"k1": b"s" * 32}, "k1")
PACKS = packs.load()
DISTRICT = "330199"
PREMISES = UUID("01936000-0000-7000-8000-000000000001")
ORIGIN = "http://alerts.test"

AUTHOR = Officer("author", "赵一", "notice-desk-01")
APPROVER = Officer("approver", "孙三", "notice-desk-02")


def token_of(number: str) -> Token:
    """A stand-in for registration's matching token: another value for every number."""
    digest = hashlib.sha256(b"test" + number.encode()).digest()
    return Token("m1", base64.urlsafe_b64encode(digest).decode().rstrip("="))


def now() -> datetime:
    """The present, which the database of this machine shares."""
    return datetime.now(UTC)


@dataclass
class Matcher:
    """A worker's matcher on this test's database."""

    db: Database
    keeper: WatchlistKeeper = field(default_factory=lambda: WatchlistKeeper(Watchlist(), verifier_from(PUBLIC)))

    async def read(self, *records: Record) -> list[str]:
        """Read records as one batch; return the reasons of the broken ones."""
        reader = StayReader(self.keeper, PACKS, DISTRICT)
        async with self.db.transaction() as tx:
            broken = await reader.handle(tx, records)
        return [reason for _record, reason in broken]


def stay_event(
    token: Token | None,
    stay_id: UUID | None = None,
    *,
    type_: str = envelope.PERSON_ARRIVED,
    recorded_at: datetime | None = None,
    **changes: Any,
) -> Record:
    """An event of a stay as registration publishes it."""
    stay_id = stay_id or uuid4()
    recorded = recorded_at or now()
    value = {
        "stay_id": str(stay_id),
        "premises_id": str(PREMISES),
        "room": "0806",
        "division_code": "330199001",
        "kind": "hotel_guest",
        "occurred_at": recorded.isoformat(),
        "recorded_at": recorded.isoformat(),
        **({"token": {"key_id": token.key_id, "value": token.value}} if token else {}),
        **changes,
    }
    return raw_record(json.dumps(value).encode(), type_=type_, key=str(stay_id))


def raw_record(value: bytes, *, type_: str = envelope.PERSON_ARRIVED, key: str = "stay") -> Record:
    """A record with any value."""
    return Record(
        topic=topics.REGISTRATION_STAYS,
        partition=0,
        offset=0,
        key=key,
        type=type_,
        event_id=str(uuid4()),
        source="/anju/registration",
        epoch=1,
        sequence=1,
        timestamp=now(),
        traceparent=None,
        value=value,
    )


@dataclass
class NoticeDesk:
    """Both desks at once: proposes, approves and withdraws by the use cases, each in a transaction of its own."""

    db: Database

    async def propose(self, number: str, **changes: Any) -> Notice:
        """Propose a `wanted` notice on a document."""
        proposal = Proposal(
            **{
                "kind": NoticeKind.WANTED,
                "instrument": Instrument("arrest_approval", "云检捕〔2026〕0144 号", "云汀市人民检察院"),
                "subject": Subject(Document("resident_id", number, "CHN"), "陈某"),
                "starts_at": now() - timedelta(minutes=1),
                "ends_at": now() + timedelta(days=30),
                "recipients": ("command-centre",),
                "instructions": "两名民警到场。",
                **changes,
            }
        )
        async with self.db.transaction() as tx:
            return await propose_notice(
                tx, proposal, token_of(number), author=AUTHOR, keyring=KEYRING, packs=PACKS, district=DISTRICT
            )

    async def approve(self, notice: Notice) -> Notice:
        """Approve what waits."""
        async with self.db.transaction() as tx:
            return await approve_notice(
                tx,
                notice.notice_id,
                notice.latest.content.hash(),
                approver=APPROVER,
                signer=SIGNER,
                keyring=KEYRING,
            )

    async def activate(self, number: str, **changes: Any) -> Notice:
        """Propose and approve."""
        return await self.approve(await self.propose(number, **changes))

    async def withdraw(self, notice: Notice) -> Notice:
        """Withdraw."""
        async with self.db.transaction() as tx:
            return await withdraw_notice(tx, notice.notice_id, Why.WITHDRAWN, "已到案", by=AUTHOR, keyring=KEYRING)


async def alert_rows(db: Database) -> list[Any]:
    """Every alert's row, oldest first."""
    async with db.read() as tx:
        return list(await tx.all(sa.select(alerts).order_by(alerts.c.raised_at, alerts.c.serial)))


async def changes_of(db: Database, alert_id: UUID) -> list[tuple[str, str | None]]:
    """An alert's history: change and detail."""
    async with db.read() as tx:
        rows = await tx.all(
            sa.select(alert_changes).where(alert_changes.c.alert_id == alert_id).order_by(alert_changes.c.position)
        )
    return [(row.change, row.detail) for row in rows]


async def emitted(db: Database, topic: str) -> list[tuple[str, dict[str, Any]]]:
    """Type and value of what stands in the outbox for a topic, in order."""
    async with db.read() as tx:
        rows = await tx.all(sa.select(outbox).where(outbox.c.topic == topic).order_by(outbox.c.id))
    return [(row.type, json.loads(row.value)) for row in rows]


@pytest.fixture(scope="session")
async def alerts_schema(postgres: Postgres) -> str:
    """The address of a database with alerts' schema, to copy from."""
    dsn = await postgres.new_database()
    await migrate(dsn, "alerts")
    return dsn


@pytest.fixture
async def dsn(postgres: Postgres, alerts_schema: str) -> str:
    """The address of this test's database."""
    return await postgres.copy_of(alerts_schema)


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Database]:
    """This test's database."""
    database = Database(dsn, service="alerts")
    yield database
    await database.dispose()


@pytest.fixture
def matcher(db: Database) -> Matcher:
    """A worker's matcher."""
    return Matcher(db)


@pytest.fixture
def desk(db: Database) -> NoticeDesk:
    """The notice desks."""
    return NoticeDesk(db)


def settings_for(dsn: str) -> Settings:
    """Complete settings."""
    return Settings.model_validate(
        {
            "environment": "test",
            "database_url": dsn,
            "kafka_bootstrap": "127.0.0.1:1",
            "kafka_username": "alerts",
            "kafka_password": "not-used",
            "oidc_issuer": ISSUER,
            "oidc_client_id": "alerts",
            "oidc_client_secret": "not-used",
            "session_secret": SECRET,
            "idempotency_secret": SECRET,
            "encryption_keys": json.dumps({"k1": SECRET}),
            "encryption_active": "k1",
            "notice_signing_key": base64.b64encode(PRIVATE.private_bytes_raw()).decode(),
            "notice_verify_keys": json.dumps({name: base64.b64encode(key).decode() for name, key in PUBLIC.items()}),
            "registration_url": "http://registration.test",
            "public_urls": {"alerts": ORIGIN, "portal": ISSUER},
        }
    )


@dataclass
class Registration:
    """Registration's side of the calls that alerts makes: answers as told, and keeps what was asked."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    down: bool = False
    asked: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if self.down:
            raise httpx.ConnectError("down", request=request)
        self.asked.append(request)
        if self.status != 200 or self.body:
            return httpx.Response(self.status, json=self.body)
        token = token_of(json.loads(request.content)["document"]["number"])
        return httpx.Response(200, json={"key_id": token.key_id, "value": token.value})


@pytest.fixture
def registration() -> Registration:
    """Registration, up and willing."""
    return Registration()


@pytest.fixture
async def web(dsn: str, registration: Registration) -> AsyncIterator[WebParts]:
    """The web process's parts."""

    async def service_token() -> str:
        return "service-token"

    client = RegistrationClient("http://registration.test", service_token, httpx.MockTransport(registration.answer))
    parts = wiring.web(settings_for(dsn), client)
    yield parts
    assert parts.db is not None
    await parts.db.dispose()


@pytest.fixture
async def api(web: WebParts) -> AsyncIterator[Api]:
    """The API."""
    provider = TokenProvider()
    provider.serve(web)
    transport = httpx.ASGITransport(app=web.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Api(http, provider)


@pytest.fixture
async def browser(web: WebParts) -> AsyncIterator[Browser]:
    """A browser."""
    provider = TokenProvider()
    provider.serve(web)
    transport = httpx.ASGITransport(app=web.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Browser(http, provider)
