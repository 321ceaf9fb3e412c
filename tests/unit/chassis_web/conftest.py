"""The small service as a running application, and clients of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from chassis.data.db import Database
from chassis.run import logs
from chassis.run.service import WebParts
from chassis.web.app import create_app
from chassis.web.problems import Problem
from tests.unit.chassis_web.demo import FakeProvider, Refused, api, client_of, make_settings, web


@pytest.fixture(autouse=True)
def configured_logs() -> None:
    """Logs as in a process."""
    logs.configure("demo", "web")


@pytest.fixture
def provider() -> FakeProvider:
    """The identity provider."""
    return FakeProvider()


@pytest.fixture
def build(provider: FakeProvider) -> Callable[..., WebParts]:
    """Make the application with other settings."""

    def make(**changed: Any) -> WebParts:
        settings = make_settings(**changed)
        parts = create_app(
            settings,
            Database(settings.database_url, service="demo"),
            title="Demo",
            routers=[api, web],
            problems={Refused: lambda error: Problem(409, "already-departed", state="ended")},
            purposes=lambda role: {"registration_service"} if role == "clerk" else set(),
        )
        client = httpx.AsyncClient(transport=httpx.MockTransport(provider.handle))
        parts.app.state.oidc._client = client
        return parts

    return make


@pytest.fixture
def parts(build: Callable[..., WebParts]) -> WebParts:
    """The application."""
    return build()


@pytest.fixture
async def client(parts: WebParts) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with client_of(parts) as made:
        yield made


@pytest.fixture
async def clerk(parts: WebParts, provider: FakeProvider) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a clerk's token."""
    async with client_of(parts) as made:
        made.headers["authorization"] = f"Bearer {provider.token()}"
        yield made
