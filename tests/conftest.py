"""Gives every test the parts of the run: see tests/parts for how to use them."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import structlog
from hypothesis import settings

from tests.parts import ContainerParts, DemoCity, Kafka, LocalParts, Postgres
from tests.parts.given import given_kafka, given_postgres

# Hypothesis' own deadline, 200 ms an example, measures the machine: what hangs, pytest's timeout ends.
settings.register_profile("anju", deadline=None)
settings.load_profile("anju")


@pytest.fixture(scope="session")
def local_parts() -> Iterator[LocalParts]:
    """What starts parts of this machine; all end with the run."""
    parts = LocalParts()
    yield parts
    parts.close()


@pytest.fixture(scope="session")
def container_parts() -> Iterator[ContainerParts]:
    """What starts parts in containers, where an engine has their images; all end with the run."""
    parts = ContainerParts()
    yield parts
    parts.close()


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, container_parts: ContainerParts) -> Kafka:
    """The run's broker."""
    found = given_kafka() or container_parts.kafka()
    if found is not None:
        return found
    local: LocalParts = request.getfixturevalue("local_parts")
    return local.kafka()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, container_parts: ContainerParts) -> Postgres:
    """The run's PostgreSQL server."""
    found = given_postgres() or container_parts.postgres()
    if found is not None:
        return found
    local: LocalParts = request.getfixturevalue("local_parts")
    return local.postgres()


@pytest.fixture
def own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command sets up logs for its own process; this one goes on with what it had."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    kept = structlog.get_config()["logger_factory"]
    yield
    structlog.configure(logger_factory=kept)


@pytest.fixture
def own_kafka(local_parts: LocalParts) -> Iterator[Callable[[], Kafka]]:
    """Starts brokers that the test may stop and kill."""
    started: list[Kafka] = []

    def start() -> Kafka:
        started.append(local_parts.kafka())
        return started[-1]

    yield start
    for kafka in started:
        kafka.kill()


@pytest.fixture
def own_postgres(local_parts: LocalParts) -> Iterator[Callable[[], Postgres]]:
    """Starts servers that the test may stop and kill."""
    started: list[Postgres] = []

    def start() -> Postgres:
        started.append(local_parts.postgres())
        return started[-1]

    yield start
    for postgres in started:
        postgres.kill()


@pytest.fixture(scope="session")
def city(local_parts: LocalParts) -> Iterator[DemoCity]:
    """The run's demo city, every service ready; a test that stops it or spoils its data takes `new_city`."""
    city = DemoCity(local_parts.reaper)
    try:
        city.start()
        yield city
    finally:
        city.remove()


@pytest.fixture
def new_city(local_parts: LocalParts) -> Callable[..., AbstractAsyncContextManager[DemoCity]]:
    """Starts cities of the test's own: `async with new_city() as city`; `simulation` as DemoCity takes it."""

    @asynccontextmanager
    async def started(simulation: Mapping[str, str] | None = None) -> AsyncIterator[DemoCity]:
        city = DemoCity(local_parts.reaper, simulation=simulation)
        try:
            await city.up()
            yield city
        finally:
            city.remove()

    return started
