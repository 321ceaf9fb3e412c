"""Connections that ended while they lay in the pool: callers do not meet them, and at worst are told to come again."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest
import sqlalchemy as sa

from chassis.data.db import Database, DatabaseUnavailable
from tests.parts import Postgres

pytestmark = pytest.mark.postgres


async def test_a_killed_server_is_met_by_fresh_connections(own_postgres: Callable[[], Postgres]) -> None:
    server = own_postgres()
    db = Database(await server.new_database(), service="test")
    before = await _fill_pool(db)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    assert not before & await _fill_pool(db)
    await db.dispose()


async def test_sessions_that_were_ended_are_replaced(db: Database, dsn: str) -> None:
    before = await _fill_pool(db)
    await _end_sessions(dsn, before)
    assert not before & await _fill_pool(db)


async def test_an_end_that_was_not_read_yet_is_unavailable_once(db: Database, dsn: str) -> None:
    pids = await _fill_pool(db, connections=1)
    # While this waits the loop reads nothing: the driver takes the connection to be open.
    ending = threading.Thread(target=lambda: asyncio.run(_end_sessions(dsn, pids)))
    ending.start()
    ending.join()
    with pytest.raises(DatabaseUnavailable):
        await _fill_pool(db, connections=1)
    assert not pids & await _fill_pool(db, connections=1)


async def _fill_pool(db: Database, connections: int = 3) -> set[int]:
    """Have several transactions at once, so that their connections lie in the pool afterwards; return their pids."""
    async with AsyncExitStack() as held:
        open_ = [await held.enter_async_context(db.transaction()) for _ in range(connections)]
        return {await tx.scalar(sa.select(sa.func.pg_backend_pid())) for tx in open_}


async def _end_sessions(dsn: str, pids: set[int]) -> None:
    """End sessions; they are gone when this returns."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid", list(pids))
    await connection.close()
