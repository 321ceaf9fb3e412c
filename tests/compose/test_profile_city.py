"""The profile `city`: invented people live in the city of containers, after the main job, which counts every stay."""

import asyncio

import pytest

from tests.compose.city import ContainerCity
from tests.compose.main_job import MainJob
from tests.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(600)]

FEW = {"CITY_PREMISES": "5", "CITY_RESIDENTS": "20", "CITY_RATE": "20"}


async def test_the_simulated_city_lives(done: MainJob, city: ContainerCity) -> None:
    city.settings.update(FEW)
    before = len(await asyncio.to_thread(city.census, "registration", "stays"))
    words = ("--profile", "city", "up", "--detach", "--no-build", "--no-deps", "city")
    await asyncio.to_thread(city.compose, *words)
    await until(lambda: city.health("city") == "healthy", 120)

    async def more_than_its_founding() -> bool:
        now = len(await asyncio.to_thread(city.census, "registration", "stays"))
        return now > before + int(FEW["CITY_RESIDENTS"])

    await until(more_than_its_founding, 240)
    container = city.container("city")
    await asyncio.to_thread(city.docker, "stop", container)
    assert city.state(container)["ExitCode"] == 0
