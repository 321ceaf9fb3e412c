"""Housing's web process without a socket, on the test's database, before a provider that signs tokens."""

import time
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr

from chassis.run.service import WebParts
from services.housing import wiring
from services.housing.settings import Settings
from tests.unit.chassis_web.demo import ISSUER, SECRET, FakeProvider

ORIGIN = "http://housing.test:8102"


def make(dsn: str, provider: FakeProvider) -> WebParts:
    """Return the process's parts."""
    settings = Settings(
        database_url=dsn,
        kafka_bootstrap="127.0.0.1:1",
        kafka_username="housing",
        kafka_password=SecretStr("not-used"),
        oidc_issuer=ISSUER,
        oidc_client_id="housing",
        oidc_client_secret=SecretStr("housing-secret"),
        session_secret=SecretStr(SECRET),
        idempotency_secret=SecretStr(SECRET),
        encryption_keys=SecretStr(f'{{"k1": "{SECRET}"}}'),
        encryption_active="k1",
        public_urls={"housing": ORIGIN, "portal": ISSUER},
    )
    parts = wiring.web(settings)
    client = httpx.AsyncClient(transport=httpx.MockTransport(provider.handle))
    parts.app.state.oidc._client = client
    return parts


async def end(parts: WebParts) -> None:
    """Close the process's connections."""
    assert parts.db is not None
    await parts.db.dispose()


def headers(provider: FakeProvider, role: str, unit: str, **more: str) -> dict[str, str]:
    """Return the headers of a person's request, with a fresh idempotency key."""
    token = provider.token(role, anju_unit=unit, sub=f"{role}-{unit}")
    return {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4()), **more}


def logged_in(parts: WebParts, role: str, unit: str, language: str = "en") -> dict[str, str]:
    """Return the cookies of a person who is logged in at the pages."""
    sessions: Any = parts.app.state.access._sessions
    session = {
        "sub": f"{role}-{unit}",
        "name": "王明",
        "role": role,
        "unit": unit,
        "token": "",
        "until": time.time() + 600,
    }
    return {sessions._cookie: sessions._sealer.seal(sessions._cookie, session), "anju_lang": language}
