"""The simulated city on a whole demo city: founded small, it makes alerts; killed at any moment, it doubles nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing

import pytest

from tests.parts import DemoCity
from tests.system import journal
from tests.waiting import until

PREMISES, RESIDENTS = 8, 30
SIMULATION = {
    "ANJU_CITY_SEED": "11",
    "ANJU_CITY_RATE": "10",
    "ANJU_CITY_PREMISES": str(PREMISES),
    "ANJU_CITY_RESIDENTS": str(RESIDENTS),
}
KILLS = 2
PATIENCE = 60.0

NewCity = Callable[..., AbstractAsyncContextManager[DemoCity]]


@pytest.mark.system
@pytest.mark.timeout(420)
async def test_small_city_lives_and_doubles_nothing(new_city: NewCity) -> None:
    async with new_city(SIMULATION) as city:
        assert city.process("city")["state"] == "running"
        # Once while it is founded, then in the midst of its life.
        for number in range(KILLS):
            await until(lambda seen=number: steps(city) >= 10 * seen and bool(stays(city)), PATIENCE)  # type: ignore[misc]
            city.kill("city")
            await until(lambda seen=number: city.process("city")["restarts"] == seen + 1, PATIENCE)  # type: ignore[misc]
        await city.ready()
        reached = steps(city)
        await until(lambda: steps(city) > reached + 10, PATIENCE)
        status = city.status()

        async def same_stays() -> bool:
            async with journal.database(status, "registration") as connection:
                rows = await connection.fetch("SELECT stay_id FROM stays WHERE departed_at IS NULL")
            return {str(row["stay_id"]) for row in rows} == stays(city)

        await until(same_stays, PATIENCE)
        assert await premises(status) == PREMISES
        assert len(stays(city)) > RESIDENTS / 2
        # Notices were approved before the residents whom they name moved in.
        await until(lambda: raised(status), PATIENCE)
        alerts = await journal.raised_alerts(status)
        assert max(alerts.values()) == 1


def steps(city: DemoCity) -> int:
    """How many steps the city has done."""
    with closing(sqlite3.connect(city.data_dir / "city" / "memory.sqlite3")) as memory:
        row = memory.execute("SELECT value FROM facts WHERE name = 'step'").fetchone()
    return int(row[0]) if row else 0


def stays(city: DemoCity) -> set[str]:
    """The stays that the city takes for open."""
    with closing(sqlite3.connect(city.data_dir / "city" / "memory.sqlite3")) as memory:
        return {row[0] for row in memory.execute("SELECT stay_id FROM stays")}


async def premises(status: dict[str, object]) -> int:
    """How many premises housing has."""
    async with journal.database(status, "housing") as connection:
        return int(await connection.fetchval("SELECT count(*) FROM premises"))


async def raised(status: dict[str, object]) -> bool:
    """Whether there is an alert of a notice."""
    return (await journal.raised_alerts(status)).total() >= 3
