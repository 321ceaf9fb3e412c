"""The run's city in containers: engine, images, everything up; all of it gone and the network as it was at the end.

`make compose-test` runs these tests, `make test` does not: they take minutes. Images by the variables of
docker-compose.yml; without one, the image that deploy/airgap builds, which is made when it is not there.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from anju.local.binaries import CHECKOUT
from tests.compose import engine
from tests.compose.city import ContainerCity, container_city
from tests.compose.desks import PERSONAS, ContainerDesks, LoopbackTransport, token_of
from tests.compose.main_job import MainJob, main_job

AIRGAP = CHECKOUT / "deploy" / "airgap"
IMAGES = ("base", "java", "python", "kafka", "postgres", "nginx", "prometheus", "keycloak", "anju")


@pytest.fixture(scope="session")
def docker() -> Iterator[dict[str, str]]:
    """The environment by which docker is reached."""
    try:
        began = time.monotonic()
        with engine.engine() as environment:
            sys.stderr.write(f"engine: {time.monotonic() - began:.0f} s\n")
            yield environment
    except engine.NoEngine as error:
        engine.leave_out(error)


@pytest.fixture(scope="session")
def images(docker: dict[str, str]) -> dict[str, str]:
    """The images by docker-compose.yml's variables, built where they are missing; Anju's own always anew."""
    printed = engine.run([str(AIRGAP / "build.sh"), "--names"], docker)
    names = dict(line.split("=", 1) for line in printed.split())
    missing = [each for each in IMAGES[:-1] if not engine.has_image(names[f"{each.upper()}_IMAGE"], docker)]
    if "base" in missing:
        try:
            engine.install("mmdebstrap")
        except engine.NoEngine as error:
            engine.leave_out(error)
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


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A browser's or terminal's client."""
    async with httpx.AsyncClient(timeout=15.0, transport=LoopbackTransport()) as client:
        yield client


@pytest.fixture(scope="session")
async def desks(city: ContainerCity, http: httpx.AsyncClient) -> ContainerDesks:
    """Every desk of the run's city, at the proxy, once every service is ready."""
    async with asyncio.timeout(240):
        for address in city.services.values():
            while not await _ready(http, address):
                await asyncio.sleep(0.5)
    tokens = {role: await token_of(city, http, *persona) for role, persona in PERSONAS.items()}
    return ContainerDesks(CHECKOUT, city.services, tokens)


@pytest.fixture(scope="session")
async def done(city: ContainerCity, desks: ContainerDesks, http: httpx.AsyncClient) -> MainJob:
    """The run's main job, done once; the broker that it killed is down."""
    return await main_job(city, desks, http)


async def _ready(http: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(f"{address}/health/ready")).status_code == 200
    except httpx.HTTPError:
        return False
