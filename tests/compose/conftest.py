"""The run's city in containers, everything up and all of it gone at the end.

`make compose-test` runs these tests, `make test` does not: they take minutes. It has brought engine and images before.
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
from tests.compose import images as images_of
from tests.compose.city import ContainerCity, container_city
from tests.compose.desks import PERSONAS, ContainerDesks, LoopbackTransport, token_of
from tests.compose.main_job import MainJob, main_job


@pytest.fixture(scope="session")
def docker() -> Iterator[dict[str, str]]:
    """The environment by which docker is reached."""
    with engine.engine() as environment:
        yield environment


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """The images by docker-compose.yml's variables."""
    return images_of.names()


@pytest.fixture(scope="session")
def city(docker: dict[str, str], images: dict[str, str], request: pytest.FixtureRequest) -> Iterator[ContainerCity]:
    """The run's city, up; after a failure it tells what its containers wrote last."""
    began = time.monotonic()
    with container_city(f"anju-test-{os.getpid()}", images, docker) as city:
        try:
            city.up()
        except RuntimeError:
            sys.stderr.write(city.logs())
            raise
        sys.stderr.write(f"up: {time.monotonic() - began:.0f} s\n")
        yield city
        if request.session.testsfailed:
            sys.stderr.write(city.logs())
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
        for address in (*city.services.values(), f"http://127.0.0.1:{city.port('portal')}"):
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
