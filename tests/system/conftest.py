"""The run's city, as its desks see it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.parts import DemoCity
from tests.system.desks import Desks


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the city's services."""
    async with httpx.AsyncClient(timeout=10.0) as client:
        yield client


@pytest.fixture(scope="session")
def desks(city: DemoCity) -> Desks:
    """Every desk of the run's city."""
    return Desks(city.data_dir, city.status()["services"])
