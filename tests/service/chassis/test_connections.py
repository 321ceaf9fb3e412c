"""Connections that are kept and lent: none is lost to a caller, whatever happens to the caller."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable
from chassis.data.transaction import driver_of
from tests.waiting import until

pytestmark = pytest.mark.postgres


async def _pid(connection: AsyncConnection) -> int:
    return int((await connection.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one())


async def test_the_one_that_came_back_last_is_lent_again(db: Database) -> None:
    async with db.connection() as first, db.connection() as second:
        pids = [await _pid(first), await _pid(second)]
    # The second comes back before the first.
    async with db.connection() as again, db.connection() as other:
        assert [await _pid(again), await _pid(other)] == pids


async def test_who_waits_gets_the_next_and_who_gives_up_takes_none(dsn: str) -> None:
    one = Database(dsn, service="test", pool_size=1)
    lent = asyncio.Event()

    async def work() -> None:
        async with one.connection():
            lent.set()

    async with one.connection():
        impatient, patient = asyncio.create_task(work()), asyncio.create_task(work())
        await asyncio.sleep(0)
        impatient.cancel()
    await asyncio.wait_for(patient, 5)
    assert impatient.cancelled()
    assert lent.is_set()
    await one.dispose()


async def test_one_that_cannot_be_opened_leaves_its_place() -> None:
    nowhere = Database("postgresql://nobody:x@127.0.0.1:1/none", service="test", pool_size=1, pool_wait_seconds=0.1)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            async with nowhere.transaction():
                pytest.fail("there is no database")


@pytest.mark.parametrize("rounds", range(8))
async def test_one_that_is_lost_as_its_holder_is_cancelled_is_replaced(dsn: str, db: Database, rounds: int) -> None:
    """SQLAlchemy is giving a lost connection up when it is cancelled, so many rounds of the loop after the loss."""
    one = Database(dsn, service="lost", pool_size=1)

    def cancel_after(left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(cancel_after, left - 1)
        else:
            waiting.cancel()

    async def wait_long() -> None:
        async with one.connection() as connection:
            driver_of(connection).add_termination_listener(lambda *_: cancel_after(rounds))
            await connection.execute(sa.text("SELECT pg_sleep(60)"))

    async def it_is_ended() -> bool:
        ended = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sl%'")
        async with db.transaction() as tx:
            return bool(await tx.scalar(ended))

    waiting = asyncio.create_task(wait_long())
    await until(it_is_ended)
    await asyncio.wait([waiting])
    assert waiting.cancelled() or waiting.exception() is not None
    async with one.transaction() as tx:
        assert await tx.scalar(sa.select(1)) == 1
    await one.dispose()


async def test_disposing_waits_for_who_has_one_and_lends_none_meanwhile(dsn: str, db: Database) -> None:
    used = Database(dsn, service="used", pool_size=1, pool_wait_seconds=0.1)
    async with used.transaction() as tx:
        disposing = asyncio.create_task(used.dispose())
        with pytest.raises(DatabaseBusy):
            async with used.transaction():
                pytest.fail("it is being closed")
        assert not disposing.done()
        assert await tx.scalar(sa.select(1)) == 1
    await asyncio.wait_for(disposing, 5)

    async def no_session_is_left() -> bool:
        sessions = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'anju-used'")
        async with db.read() as tx:
            return bool(await tx.scalar(sessions) == 0)

    await until(no_session_is_left)
    async with used.transaction() as tx:
        assert await tx.scalar(sa.select(1)) == 1
    await used.dispose()
