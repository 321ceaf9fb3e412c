"""The engine of one service's database: its connections, its locks, and what its errors mean."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.data.connections import Connections
from chassis.data.transaction import Driver, Transaction, begun

__all__ = ["Database", "DatabaseBusy", "DatabaseUnavailable", "Exclusive", "Transaction"]

# A statement that waits this long for a row's lock has met a stuck transaction: the caller is told to retry (503).
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "30s"
# A process frozen inside a transaction (SIGSTOP, a paused machine) must not hold its locks for ever; nor may one that
# holds a service-wide lock, which is why its holder confirms it.
IDLE_IN_TRANSACTION_TIMEOUT = "10s"
LOCK_IDLE_TIMEOUT = "10s"
# Frozen between two messages of one statement it counts as neither idle nor as running a statement: only this ends it.
TRANSACTION_TIMEOUT = "30s"
# A lost LISTEN or lock connection rests this long before the next try: nobody notices, and nothing spins.
RECONNECT_SECONDS = 0.5
CONNECT_SECONDS = 5.0
# How often who waits for a service-wide lock asks for it: what it is for stands still no longer than this.
LOCK_RETRY_SECONDS = 0.5
# Waits cut short: lock_not_available, deadlock_detected, query_canceled, too_many_connections (PostgreSQL, appendix A).
BUSY_CODES = frozenset({"55P03", "40P01", "57014", "53300"})
# Codes that end a connection: class 08, and operator intervention (shutdown, crash, starting up).
LOST_CODES = ("08", "57P")

# What a connection of its own raises when it breaks; InternalClientError when it breaks in the middle of a call.
CONNECTION_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
)


class DatabaseUnavailable(Exception):
    """The database cannot be reached, or the connection broke before the outcome of a commit was known."""


class DatabaseBusy(Exception):
    """No connection became free, or no lock was granted, within the time that a caller may wait; or it is restored."""


class Exclusive:
    """A session's advisory lock: while `confirm` succeeds, no other process does the same work."""

    def __init__(self, connection: Driver) -> None:
        self._connection = connection

    async def confirm(self) -> None:
        """Raise DatabaseUnavailable when the session that holds the lock is gone."""
        try:
            await self._connection.fetchval("SELECT 1", timeout=CONNECT_SECONDS)
        except CONNECTION_ERRORS as error:
            raise DatabaseUnavailable from error


class Database:
    """One service's database. `url` is a plain `postgresql://user:password@host:port/name`."""

    def __init__(self, url: str, *, service: str, pool_size: int = 10, pool_wait_seconds: float = 2.0) -> None:
        self._url = url
        self._service = service
        self.engine: AsyncEngine = create_async_engine(
            sa.make_url(url).set(drivername="postgresql+asyncpg"),
            poolclass=sa.NullPool,
            # Transactions are the driver's: SQLAlchemy's take four times as long to begin and to commit.
            isolation_level="AUTOCOMMIT",
            json_deserializer=orjson.loads,
            # Parameters hold names and numbers: they must not reach a log through an exception's text.
            hide_parameters=True,
            connect_args={"timeout": CONNECT_SECONDS, "server_settings": self._server_settings()},
        )
        self._after_commit: list[Callable[[], None]] = []
        self._connections = Connections(self.engine, pool_size, pool_wait_seconds)

    def _server_settings(self) -> dict[str, str]:
        return {
            "application_name": f"anju-{self._service}",
            "timezone": "UTC",
            "jit": "off",
            "lock_timeout": LOCK_TIMEOUT,
            "statement_timeout": STATEMENT_TIMEOUT,
            "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
            "transaction_timeout": TRANSACTION_TIMEOUT,
        }

    def after_every_commit(self, hook: Callable[[], None]) -> None:
        """Call `hook` after each commit that emitted something: how a process wakes its relay."""
        self._after_commit.append(hook)

    def connection(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Lend a connection, in autocommit: for what is no transaction."""
        return self._connections.lend()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a READ COMMITTED transaction; commit on a clean exit, roll back on any error.

        Raises DatabaseBusy (no connection or lock in time) and DatabaseUnavailable (not reachable, or commit unknown).
        """
        with _named_errors():
            async with self.connection() as connection, begun(connection) as tx:
                yield tx
        tx.committed()
        if tx._emissions:
            for hook in self._after_commit:
                hook()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a read-only transaction that sees one snapshot throughout. Raises what `transaction` does.

        A snapshot taken while a backup is restored sees the new tables empty: `one` of a row that is always there.
        """
        with _named_errors():
            async with (
                self.connection() as connection,
                begun(connection, isolation="repeatable_read", readonly=True) as tx,
            ):
                try:
                    yield tx
                except NoResultFound:
                    raise DatabaseBusy from None

    async def listen(self, channel: str, *, poll_seconds: float) -> AsyncIterator[None]:
        """Yield after connecting, at each NOTIFY on `channel` (many become one), and at least every `poll_seconds`.

        A lost connection is made anew; a listener that always reads what is there needs nothing else.
        """
        while True:
            woken = asyncio.Event()
            connection: Driver | None = None
            try:
                connection = await self._connect()
                await connection.add_listener(channel, lambda *_, woken=woken: woken.set())
                connection.add_termination_listener(lambda *_, woken=woken: woken.set())
                while not connection.is_closed():
                    woken.clear()
                    yield
                    with suppress(TimeoutError):
                        async with asyncio.timeout(poll_seconds):
                            await woken.wait()
            except CONNECTION_ERRORS:
                await asyncio.sleep(RECONNECT_SECONDS)
            finally:
                if connection is not None:
                    connection.terminate()

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[Exclusive]:
        """Wait for, then hold, the service-wide lock `name` on a connection of its own.

        The holder calls `confirm` every few seconds: after 10 s of silence the database takes it for frozen, and one
        of those who wait gets the lock. They ask again and again: one long wait would not end when the database's
        machine is gone without a word.
        Raises DatabaseUnavailable when the database cannot be reached; the lock is free again when the block ends.
        """
        try:
            connection = await self._connect(idle_session_timeout=LOCK_IDLE_TIMEOUT)
        except CONNECTION_ERRORS as error:
            raise DatabaseUnavailable from error
        try:
            try:
                await _lock(connection, name)
            except CONNECTION_ERRORS as error:
                raise DatabaseUnavailable from error
            yield Exclusive(connection)
        finally:
            connection.terminate()

    async def _connect(self, **settings: str) -> Driver:
        return await asyncpg.connect(
            self._url, timeout=CONNECT_SECONDS, server_settings={**self._server_settings(), **settings}
        )

    async def dispose(self) -> None:
        """Close every connection, once those in use have come back; it does not wait for ever."""
        # What a commit began, such as waking the relay, takes its connection now.
        await asyncio.sleep(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connections.close()
        await self.engine.dispose()


async def _lock(connection: Driver, name: str) -> None:
    ask = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
    while not await connection.fetchval(ask, name, timeout=CONNECT_SECONDS):  # noqa: ASYNC110 - another process holds it
        await asyncio.sleep(LOCK_RETRY_SECONDS)


@contextmanager
def _named_errors() -> Iterator[None]:
    """Turn driver errors of reaching and waiting into DatabaseUnavailable and DatabaseBusy; leave the rest alone."""
    try:
        yield
    except PoolTimeout:
        raise DatabaseBusy from None
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None) or ""
        if code in BUSY_CODES:
            raise DatabaseBusy from None
        if error.connection_invalidated or code.startswith(LOST_CODES):
            raise DatabaseUnavailable from error
        raise
    except (ConnectionError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise DatabaseUnavailable from error
    except asyncpg.TooManyConnectionsError:
        raise DatabaseBusy from None
