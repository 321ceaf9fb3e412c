"""The run's city in containers: engine, images, everything up; all of it gone and the network as it was at the end.

`make compose-test` runs these tests, `make test` does not: they take minutes. Images by the variables of
docker-compose.yml; without one, the image that deploy/airgap builds, which is made when it is not there.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from anju.local.binaries import CHECKOUT
from tests.compose import engine
from tests.compose.city import HOST, ContainerCity, container_city
from tests.system.desks import Desks

AIRGAP = CHECKOUT / "deploy" / "airgap"
IMAGES = ("base", "python", "kafka", "postgres", "nginx", "prometheus", "anju")
# The persona of the development portal who has the role, at the client whose desk it is.
PERSONAS = {
    "clerk": ("registration", "clerk-1"),
    "inspector": ("housing", "inspector-1"),
    "notice_author": ("alerts", "author-1"),
    "notice_approver": ("alerts", "approver-1"),
    "duty_officer": ("alerts", "officer-1"),
}


@pytest.fixture(scope="session")
def docker() -> Iterator[dict[str, str]]:
    """The environment by which docker is reached."""
    try:
        began = time.monotonic()
        with engine.engine() as environment:
            sys.stderr.write(f"engine: {time.monotonic() - began:.0f} s\n")
            yield environment
    except engine.NoEngine as error:
        if os.environ.get("REQUIRE_DOCKER") == "1":
            pytest.fail(f"REQUIRE_DOCKER=1: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def images(docker: dict[str, str]) -> dict[str, str]:
    """The images by docker-compose.yml's variables, built where they are missing; Anju's own always anew."""
    printed = engine.run([str(AIRGAP / "build.sh"), "--names"], docker)
    names = dict(line.split("=", 1) for line in printed.split())
    missing = [each for each in IMAGES[:-1] if not engine.has_image(names[f"{each.upper()}_IMAGE"], docker)]
    engine.run([str(AIRGAP / "build.sh"), *missing, "anju"], docker, quiet=False)
    return names


@pytest.fixture(scope="session")
def city(docker: dict[str, str], images: dict[str, str]) -> Iterator[ContainerCity]:
    """The run's city, up."""
    began = time.monotonic()
    with container_city(f"anju-test-{os.getpid()}", images, docker) as city:
        sys.stderr.write(f"up: {time.monotonic() - began:.0f} s\n")
        yield city
        began = time.monotonic()
    sys.stderr.write(f"down: {time.monotonic() - began:.0f} s\n")


class LoopbackTransport(httpx.AsyncHTTPTransport):
    """Reaches the proxy at 127.0.0.1 by the name that browsers resolve there by themselves."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; its Host header keeps the name."""
        if request.url.host == HOST:
            # Another request: cookies are kept by the address of the one that was given.
            address = request.url.copy_with(host="127.0.0.1")
            request = httpx.Request(
                request.method, address, headers=request.headers, stream=request.stream, extensions=request.extensions
            )
        return await super().handle_async_request(request)


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A browser's or terminal's client."""
    async with httpx.AsyncClient(timeout=15.0, transport=LoopbackTransport()) as client:
        yield client


@dataclass(frozen=True)
class ContainerDesks(Desks):
    """Desks whose tokens come from the identity provider by its own flow."""

    tokens: Any = None

    def token(self, role: str, unit: str | None = None, name: str | None = None) -> str:
        """Return the token of the role's persona."""
        token: str = self.tokens[role]
        return token


@pytest.fixture(scope="session")
async def desks(city: ContainerCity, http: httpx.AsyncClient) -> ContainerDesks:
    """Every desk of the run's city, at the proxy, once every service is ready."""
    async with asyncio.timeout(240):
        for address in city.services.values():
            while not await _ready(http, address):
                await asyncio.sleep(0.5)
    tokens = {role: await _token(city, http, *persona) for role, persona in PERSONAS.items()}
    return ContainerDesks(CHECKOUT, city.services, tokens)


async def _ready(http: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(f"{address}/health/ready")).status_code == 200
    except httpx.HTTPError:
        return False


async def _token(city: ContainerCity, http: httpx.AsyncClient, client: str, persona: str) -> str:
    """A person's token by the authorization code flow with PKCE (RFC 7636, appendix B has this pair)."""
    back = f"{city.settings[f'{client.upper()}_URL']}/callback"
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": back,
        "scope": "openid profile",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "login_hint": persona,
    }
    portal = city.settings["PORTAL_URL"]
    answer = await http.get(f"{portal}/authorize?{urlencode(asked)}")
    assert answer.status_code == 303, answer.text
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(answer.headers["location"]).query)["code"][0],
        "redirect_uri": back,
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    }
    secret = city.settings[f"{client.upper()}_CLIENT_SECRET"]
    answer = await http.post(f"{portal}/token", data=form, auth=(client, secret))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token
