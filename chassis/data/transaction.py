"""The transaction in which a use case works: rows now, deferred writes and the outbox last."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeAlias, TypeVar

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, MultipleResultsFound, NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.data.prepared import Prepared, Row
from chassis.events.outbox import Emission, write

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
NO_VALUES: Mapping[str, Any] = {}
Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_NOTIFY = Prepared(sa.select(sa.func.pg_notify(sa.bindparam("channel", type_=sa.Text), "")))
_CLOCK = Prepared(sa.select(sa.func.clock_timestamp().label("at")))

BeforeCommit: TypeAlias = "Callable[[Transaction], Awaitable[None]]"


class Transaction:
    """One PostgreSQL transaction: rows now, deferred writes and the outbox last, hooks after the commit."""

    def __init__(self, connection: AsyncConnection, driver: Driver) -> None:
        self.connection = connection
        self._driver = driver
        self._emissions: list[Emission] = []
        self._before_commit: list[BeforeCommit] = []
        self._after_commit: list[Callable[[], None]] = []

    async def execute(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> sa.CursorResult[Any]:
        """Run one statement; many parameter sets run as one batch."""
        return await self.connection.execute(statement, parameters)

    async def fetch(self, statement: Prepared, values: Mapping[str, Any] = NO_VALUES) -> list[Row]:
        """Run a prepared statement; return the rows it gives."""
        return await fetch(self._driver, statement, values)

    async def fetch_one(self, statement: Prepared, values: Mapping[str, Any] = NO_VALUES) -> Row:
        """Run a prepared statement; return its only row. Raises NoResultFound, MultipleResultsFound."""
        rows = await self.fetch(statement, values)
        if len(rows) != 1:
            raise MultipleResultsFound if rows else NoResultFound
        return rows[0]

    async def run(self, statement: Prepared, values: Mapping[str, Any] = NO_VALUES) -> int:
        """Run a prepared statement that gives nothing back; return how many rows it met."""
        return await run(self._driver, statement, values)

    async def execute_many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a prepared statement once for each set of values, in their order."""
        driver = self._driver
        await _asked(driver, driver.executemany, statement.sql, [statement.arguments(each) for each in rows])

    async def scalar(self, statement: sa.Executable) -> Any:
        """Return the first column of the first row, or None."""
        return (await self.connection.execute(statement)).scalar()

    async def one_or_none(self, statement: sa.Executable) -> sa.Row[Any] | None:
        """Return the only row, or None; more than one is an error."""
        return (await self.connection.execute(statement)).one_or_none()

    async def all(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        """Return every row."""
        return (await self.connection.execute(statement)).all()

    def emit(self, emission: Emission) -> None:
        """Publish an event with this transaction: its outbox row is written last, in the order of the calls."""
        self._emissions.append(emission)

    def before_commit(self, write_last: BeforeCommit) -> None:
        """Run a write just before the outbox rows, so that the lock it takes is held for the shortest time."""
        self._before_commit.append(write_last)

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Call `hook` once the commit is known to have succeeded."""
        self._after_commit.append(hook)

    async def notify(self, channel: str) -> None:
        """NOTIFY at commit. It serialises commits: only where the transaction holds a lock of that rank anyway."""
        await self.run(_NOTIFY, {"channel": channel})

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo, when the block raises, what it wrote, emitted and deferred; the transaction itself goes on."""
        lists: tuple[list[Any], ...] = (self._emissions, self._before_commit, self._after_commit)
        lengths = [len(each) for each in lists]
        try:
            async with self._driver.transaction():
                yield
        except BaseException:
            for each, length in zip(lists, lengths, strict=True):
                del each[length:]
            raise

    async def database_time(self) -> datetime:
        """Return the database's clock at this statement (not at the transaction's start), UTC."""
        value: datetime = (await self.fetch_one(_CLOCK)).at
        return value.astimezone(UTC)

    async def flush(self) -> None:
        """Write what was deferred. The entry point's `transaction()` calls this; use cases do not."""
        for write_last in self._before_commit:
            await write_last(self)
        if self._emissions:
            await write(self, self._emissions)

    def committed(self) -> None:
        """Run the hooks that wait for the commit."""
        for hook in self._after_commit:
            hook()


async def fetch(driver: Driver, statement: Prepared, values: Mapping[str, Any]) -> list[Row]:
    """Run a prepared statement on a connection of the driver's; return the rows it gives."""
    return await _asked(driver, driver.fetch, statement.sql, *statement.arguments(values), record_class=Row)


async def run(driver: Driver, statement: Prepared, values: Mapping[str, Any]) -> int:
    """Run a prepared statement on a connection of the driver's; return how many rows it met."""
    done = await _asked(driver, driver.execute, statement.sql, *statement.arguments(values))
    return int(done.rpartition(" ")[2])


def driver_of(connection: AsyncConnection) -> Driver:
    """Return the driver's connection behind SQLAlchemy's."""
    assert connection.sync_connection is not None
    driver: Driver | None = connection.sync_connection.connection.driver_connection
    assert driver is not None
    return driver


@asynccontextmanager
async def begun(connection: AsyncConnection, **kind: Any) -> AsyncIterator[Transaction]:
    """Begin a transaction of the driver's own, `isolation` and `readonly` by `kind`; commit it, or undo it."""
    driver = driver_of(connection)
    transaction = driver.transaction(**kind)
    try:
        await _asked(driver, transaction.start)
        tx = Transaction(connection, driver)
        try:
            yield tx
            await tx.flush()
        except Exception:
            if not driver.is_closed():
                await _asked(driver, transaction.rollback)
            raise
        await _asked(driver, transaction.commit)
    except Exception:
        raise
    except BaseException:
        # Cancelled, also while it begins or ends: a statement may still be at work, and nobody waits for its end. Given
        # back as it is, the next transaction would be a part of this one, and never be committed.
        driver.terminate()
        raise


async def _asked(
    driver: Driver, ask: Callable[Asked, Awaitable[Answer]], *values: Asked.args, **named: Asked.kwargs
) -> Answer:
    """Return what the driver answers; its errors come as SQLAlchemy gives them: who catches one catches both."""
    try:
        return await ask(*values, **named)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        kind = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else DBAPIError
        raise kind(None, None, error, connection_invalidated=driver.is_closed()) from error
