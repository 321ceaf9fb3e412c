"""The connections of one service's database: opened when they are needed, kept, and lent to one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.data.transaction import Driver


class Connections:
    """At most `size` connections of an engine that has no pool of its own.

    SQLAlchemy's pool runs a greenlet to lend a connection and another to take it back: each is given a stack of its own
    by the operating system, and both together cost an arrival a tenth of its CPU.
    """

    def __init__(self, engine: AsyncEngine, size: int, wait_seconds: float) -> None:
        self._engine = engine
        self._wait_seconds = wait_seconds
        self._size = size
        # None is one that is not open. What came back last is lent first, so that no more are opened than are needed.
        self._free: asyncio.LifoQueue[AsyncConnection | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._free.put_nowait(None)

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection, in autocommit. Raises PoolTimeout when none comes back in time, or what opening does."""
        connection = await self._next()
        try:
            if connection is not None and not _is_fit(connection):
                unfit, connection = connection, None
                await _drop(unfit)
            if connection is None:
                connection = await self._engine.connect()
            yield connection
        finally:
            self._free.put_nowait(connection)

    async def _next(self) -> AsyncConnection | None:
        if not self._free.empty():
            return self._free.get_nowait()
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await self._free.get()
        except TimeoutError:
            raise PoolTimeout from None

    async def close(self) -> None:
        """Close them all, each once it has come back. What is lent later is opened anew."""
        closed = 0
        try:
            while closed < self._size:
                connection = await self._free.get()
                closed += 1
                if connection is not None:
                    await connection.close()
        finally:
            for _ in range(closed):
                self._free.put_nowait(None)


def _is_fit(connection: AsyncConnection) -> bool:
    """Let a restarted database be met by a fresh connection instead of by a caller's error.

    What the driver knows costs nothing; a ping costs three round trips. An end that came in this very moment, unread as
    yet, is DatabaseUnavailable at the first statement. Nor is a connection given out in somebody else's transaction.
    """
    driver = _driver(connection)
    return driver is not None and not (driver.is_closed() or driver.is_in_transaction())


def _driver(connection: AsyncConnection) -> "Driver | None":
    """Return the driver's connection; None where SQLAlchemy gave it up, be it that it was cancelled at that."""
    if connection.invalidated:
        return None
    assert connection.sync_connection is not None
    driver: Driver | None = connection.sync_connection.connection.driver_connection
    return driver


async def _drop(connection: AsyncConnection) -> None:
    driver = _driver(connection)
    if driver is not None:
        driver.terminate()
    await connection.close()
