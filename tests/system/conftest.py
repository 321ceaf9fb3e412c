"""The run's city, as its desks see it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.parts import DemoCity, LocalParts
from tests.system.desks import Desks
from tests.system.town import Town


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the city's services."""
    async with httpx.AsyncClient(timeout=10.0) as client:
        yield client


@pytest.fixture(scope="session")
def desks(city: DemoCity) -> Desks:
    """Every desk of the run's city."""
    return Desks(city.data_dir, city.status()["services"])


@pytest.fixture(scope="module")
async def town(local_parts: LocalParts, http: httpx.AsyncClient) -> AsyncIterator[Town]:
    """A city of the module's own, in which people live already."""
    city = DemoCity(local_parts.reaper)
    try:
        await city.up()
        town = Town(city, http)
        town.premises_id = await town.desks.premises(http)
        await town.live()
        yield town
    finally:
        city.remove()
