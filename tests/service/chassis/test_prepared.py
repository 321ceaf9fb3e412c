"""Prepared statements: the driver runs them, and whoever calls meets what SQLAlchemy's own way would give."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from asyncpg.transaction import Transaction
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.data.db import Database
from chassis.data.prepared import Prepared
from chassis.data.refusals import refuses_the_value
from chassis.data.tables import idempotency_keys, subject_keys
from chassis.data.transaction import driver_of
from chassis.events.tables import outbox_epoch
from tests.service.chassis.test_transaction import emission

pytestmark = pytest.mark.postgres

KEYS = ["subject_id", "wrapping_key", "wrapped"]
INSERT = Prepared(sa.insert(subject_keys).returning(subject_keys.c.created_at), KEYS)
COUNT = Prepared(sa.select(sa.func.count().label("found")).select_from(subject_keys))


def row(name: str = "k1") -> dict[str, object]:
    return {"subject_id": uuid.uuid4(), "wrapping_key": name, "wrapped": b"x"}


async def test_rows_come_with_their_columns_as_attributes(db: Database) -> None:
    async with db.transaction() as tx:
        (made,) = await tx.fetch(INSERT, row())
        assert isinstance(made.created_at, datetime)
        with pytest.raises(AttributeError):
            _ = made.no_such_column
        await tx.execute_many(INSERT, [row("k2"), row("k3")])
        assert (await tx.fetch_one(COUNT)).found == 3


async def test_a_constant_of_the_statement_and_a_list_have_their_places(db: Database) -> None:
    of = Prepared(
        sa.update(subject_keys)
        .where(subject_keys.c.wrapping_key == sa.any_(sa.bindparam("names", type_=ARRAY(sa.Text))))
        .values(wrapping_key=subject_keys.c.wrapping_key + "-old")
    )
    async with db.transaction() as tx:
        await tx.execute_many(INSERT, [row("a"), row("b"), row("c")])
        assert await tx.run(of, {"names": ["a", "c"]}) == 2
        left = await tx.all(sa.select(subject_keys.c.wrapping_key).order_by(subject_keys.c.wrapping_key))
    assert [each.wrapping_key for each in left] == ["a-old", "b", "c-old"]


async def test_json_goes_in_and_comes_out_and_none_is_null(db: Database) -> None:
    insert = Prepared(sa.insert(idempotency_keys), ["id", "request_mac", "status", "headers", "body", "created_at"])
    kept = {"request_mac": b"m", "status": 200, "body": b"{}", "created_at": datetime.now(UTC)}
    headers = idempotency_keys.c.headers
    async with db.transaction() as tx:
        await tx.run(insert, {"id": b"1", "headers": {"a": "é"}, **kept})
        await tx.run(insert, {"id": b"2", "headers": None, **kept})
        found = await tx.fetch(Prepared(sa.select(headers).order_by(idempotency_keys.c.id)), {})
        assert [each.headers for each in found] == [{"a": "é"}, None]
        assert await tx.scalar(sa.select(idempotency_keys.c.id).where(headers.is_(None))) == b"2"


async def test_the_only_row_is_one_and_no_row_is_an_error(db: Database) -> None:
    names = Prepared(sa.select(subject_keys.c.wrapping_key))
    async with db.transaction() as tx:
        with pytest.raises(sa.exc.NoResultFound):
            await tx.fetch_one(names)
        await tx.execute_many(INSERT, [row("a"), row("b")])
        with pytest.raises(sa.exc.MultipleResultsFound):
            await tx.fetch_one(names)


async def test_a_missing_value_is_an_error_before_anything_is_sent(db: Database) -> None:
    async with db.transaction() as tx:
        with pytest.raises(KeyError):
            await tx.fetch(INSERT, {"subject_id": uuid.uuid4()})
        assert (await tx.fetch_one(COUNT)).found == 0


async def test_what_the_database_refuses_is_sqlalchemys_error_without_the_values(db: Database) -> None:
    once = row("a secret name")
    with pytest.raises(sa.exc.IntegrityError) as caught:
        async with db.transaction() as tx:
            await tx.execute_many(INSERT, [once, once])
    assert "a secret name" not in str(caught.value)
    with pytest.raises(sa.exc.DBAPIError) as refused:
        async with db.transaction() as tx:
            await tx.fetch(INSERT, {**row(), "wrapping_key": 5})
    assert refuses_the_value(refused.value)
    async with db.transaction() as tx:
        assert (await tx.fetch_one(COUNT)).found == 0


async def test_a_savepoint_undoes_it_and_the_transaction_goes_on(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.fetch(INSERT, row("kept"))
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint():
                await tx.fetch(INSERT, row("undone"))
                raise ZeroDivisionError
    async with db.read() as tx:
        assert [each.wrapping_key for each in await tx.all(sa.select(subject_keys.c.wrapping_key))] == ["kept"]


async def test_a_cancelled_transaction_leaves_nothing_and_its_connection_is_not_used_again(
    dsn: str, db: Database
) -> None:
    one = Database(dsn, service="test", pool_size=1)
    began = asyncio.Event()

    async def hang() -> None:
        async with one.transaction() as tx:
            await tx.fetch(INSERT, row())
            began.set()
            await tx.scalar(sa.select(sa.func.pg_sleep(60)))

    hanging = asyncio.create_task(hang())
    await began.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    async with one.transaction() as tx:
        assert (await tx.fetch_one(COUNT)).found == 0
    await one.dispose()


@pytest.mark.parametrize("step", ["start", "commit", "rollback"])
async def test_who_is_cancelled_as_a_transaction_begins_or_ends_takes_nobody_elses_with_them(
    dsn: str, db: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A connection that came back in an open transaction made the next one a part of it: committed by nobody."""
    one = Database(dsn, service="test", pool_size=1)
    reached = asyncio.Event()
    taken = getattr(Transaction, step)

    async def hang(self: Transaction) -> None:
        if step == "start":
            await taken(self)
        reached.set()
        await asyncio.Event().wait()

    async def work() -> None:
        async with one.transaction():
            if step == "rollback":
                raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, step, hang)
        working = asyncio.create_task(work())
        await reached.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    await _writes(one, db)


async def test_a_connection_in_an_open_transaction_is_not_given_out(dsn: str, db: Database) -> None:
    one = Database(dsn, service="test", pool_size=1)
    async with one.connection() as connection:
        await driver_of(connection).execute("BEGIN READ ONLY")
    await _writes(one, db)


async def _writes(one: Database, other: Database) -> None:
    """What `one` writes is there for others."""
    async with one.transaction() as tx:
        await tx.fetch(INSERT, row())
    async with other.read() as tx:
        assert (await tx.fetch_one(COUNT)).found == 1
    await one.dispose()


async def test_without_an_epoch_nothing_is_emitted_in_silence(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(sa.delete(outbox_epoch))
    with pytest.raises(RuntimeError, match="epoch"):
        async with db.transaction() as tx:
            tx.emit(emission("lost"))
