"""A small service of the chassis alone: its routes and settings, and a provider that signs tokens for it."""

import base64
import time
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import Depends, Query
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from pydantic import AwareDatetime, Field
from pydantic_settings import SettingsConfigDict
from starlette.requests import Request
from starlette.responses import Response

from chassis.data.db import DatabaseBusy, DatabaseUnavailable
from chassis.run.service import WebParts
from chassis.run.settings import ServiceSettings
from chassis.web.access import Caller, PurposeCase, purpose, require
from chassis.web.app import api_router, page_router
from chassis.web.models import StrictModel
from chassis.web.pages import Pages

ISSUER = "http://provider.test"
ORIGIN = "http://demo.test:8199"
SECRET = base64.b64encode(b"s" * 32).decode()


class Settings(ServiceSettings):
    """Settings of a service that no package has."""

    model_config = SettingsConfigDict(env_prefix="ANJU_DEMO_")


def make_settings(**changed: Any) -> Settings:
    """Return complete settings."""
    values: dict[str, Any] = {
        "database_url": "postgresql://nobody:nothing@127.0.0.1:1/none",
        "kafka_bootstrap": "127.0.0.1:1",
        "kafka_username": "demo",
        "kafka_password": "not-used",
        "oidc_issuer": ISSUER,
        "oidc_client_id": "demo",
        "oidc_client_secret": "demo-secret",
        "session_secret": SECRET,
        "idempotency_secret": SECRET,
        "encryption_keys": f'{{"k1": "{SECRET}"}}',
        "encryption_active": "k1",
        "public_urls": {"demo": ORIGIN, "portal": ISSUER},
        **changed,
    }
    return Settings(**values)


@dataclass
class FakeProvider:
    """An OpenID Connect provider behind httpx: it can be unreachable, change its keys, and counts what it is asked."""

    key: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519", {"kid": "one"}))
    reachable: bool = True
    asked: list[str] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    code_seen: dict[str, str] = field(default_factory=dict)

    def token(self, role: str = "clerk", *, key: OKPKey | None = None, **changed: Any) -> str:
        """Return a bearer token."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": ["anju"],
            "sub": "0b4bd7c1-0000-4000-8000-000000000001",
            "name": "Li Hua",
            "anju_role": role,
            "anju_unit": "station-01",
            "iat": now,
            "exp": now + 600,
            **changed,
        }
        signer = key or self.key
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "Ed25519", "kid": signer.kid}, kept, signer, algorithms=["Ed25519"])

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer as the provider would."""
        self.asked.append(request.url.path)
        if not self.reachable:
            raise httpx.ConnectError("no route")
        match request.url.path:
            case "/.well-known/openid-configuration":
                return httpx.Response(
                    200,
                    json={
                        "issuer": ISSUER,
                        "authorization_endpoint": f"{ISSUER}/authorize",
                        "token_endpoint": f"{ISSUER}/token",
                        "jwks_uri": f"{ISSUER}/jwks.json",
                        "end_session_endpoint": f"{ISSUER}/logout",
                    },
                )
            case "/jwks.json":
                return httpx.Response(200, json=dict(KeySet([self.key]).as_dict(private=False)))
            case "/token":
                self.code_seen = dict(httpx.QueryParams(request.content.decode()))
                token = self.token("duty_officer", aud="demo", **self.claims)
                return httpx.Response(200, json={"id_token": token, "access_token": token, "expires_in": 600})
        return httpx.Response(404)


class Document(StrictModel):
    """A nested part."""

    kind: str = Field(max_length=20)
    number: str = Field(min_length=1, max_length=20)


class Body(StrictModel):
    """A body with one field of each sort."""

    name: str = Field(max_length=50)
    document: Document | None = None
    count: int = Field(default=0, ge=0, le=100)
    share: float = 0.0
    agreed: bool = False
    at: AwareDatetime | None = None
    premises_id: UUID | None = None
    rooms: list[str] = Field(default_factory=list, max_length=3)


class Refused(Exception):
    """A domain error of this service."""


api = api_router()
web = page_router()


@api.post("/things")
async def post_thing(body: Body, caller: Annotated[Caller, Depends(require("clerk"))]) -> dict[str, Any]:
    """Take a thing."""
    if body.name == "refused":
        raise Refused
    if body.name == "broken":
        raise RuntimeError("the secret 330199199001011234 of Li Hua")
    return {"name": body.name, "by": caller.subject}


@api.get("/things/{thing_id}")
async def get_thing(
    thing_id: UUID,
    caller: Annotated[Caller, Depends(require("clerk"))],
    why: Annotated[PurposeCase, Depends(purpose)],
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, Any]:
    """Give a thing."""
    return {"id": str(thing_id), "limit": limit, "purpose": why.purpose, "case": why.case}


@api.get("/find")
async def find(address: str = "") -> dict[str, int]:
    """Find by text."""
    return {"length": len(address)}


@api.get("/busy")
async def busy() -> None:
    """Meet a full pool."""
    raise DatabaseBusy


@api.get("/away")
async def away() -> None:
    """Meet a database that is away."""
    raise DatabaseUnavailable


@web.get("/")
async def page(request: Request, caller: Annotated[Caller, Depends(require("duty_officer"))]) -> Response:
    """Show who is logged in."""
    pages: Pages = request.app.state.pages
    return pages.render(request, "signed_out.html", login_url="/login")


@web.post("/act")
async def act(caller: Annotated[Caller, Depends(require("duty_officer"))]) -> dict[str, str]:
    """Do something on a page."""
    return {"by": caller.role}


def client_of(parts: WebParts) -> httpx.AsyncClient:
    """Return a client that speaks to the application without a socket."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=parts.app), base_url=ORIGIN)
