"""The transaction: what is deferred comes last, what fails leaves nothing, what breaks has a name."""

import asyncio
import gc
from contextlib import suppress

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from anju.local.programs import free_ports
from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable, Transaction
from chassis.data.transaction import Driver
from chassis.events.outbox import Emission
from chassis.events.relay_rows import backlog
from chassis.events.tables import outbox
from chassis.events.wake import Wake
from tests.chaos.proxy import Proxy
from tests.waiting import until

pytestmark = pytest.mark.postgres


class Happened(BaseModel):
    """An event of this test."""

    what: str


def emission(what: str) -> Emission:
    return Emission("test.things", "k", "anju.test.happened.v1", Happened(what=what), "history")


async def outbox_values(db: Database) -> list[bytes]:
    async with db.read() as tx:
        return [row.value for row in await tx.all(sa.select(outbox.c.value).order_by(outbox.c.id))]


async def test_outbox_rows_come_last_and_in_the_order_of_the_calls(db: Database) -> None:
    order: list[str] = []

    async def deferred(tx: Transaction) -> None:
        order.append(f"deferred sees {await tx.scalar(sa.select(sa.func.count()).select_from(outbox))}")

    async with db.transaction() as tx:
        tx.emit(emission("first"))
        tx.before_commit(deferred)
        tx.emit(emission("second"))
        tx.after_commit(lambda: order.append("committed"))
    assert order == ["deferred sees 0", "committed"]
    assert await outbox_values(db) == [b'{"what":"first"}', b'{"what":"second"}']


async def test_an_error_leaves_nothing_and_calls_no_hook(db: Database) -> None:
    woken: list[str] = []
    db.after_every_commit(lambda: woken.append("relay"))
    with suppress(ZeroDivisionError):
        async with db.transaction() as tx:
            tx.emit(emission("never"))
            tx.after_commit(lambda: woken.append("hook"))
            raise ZeroDivisionError
    assert await outbox_values(db) == []
    assert woken == []
    async with db.transaction() as tx:
        tx.emit(emission("now"))
    assert woken == ["relay"]


async def test_a_read_sees_one_snapshot_and_writes_nothing(db: Database) -> None:
    count = sa.select(sa.func.count()).select_from(outbox)
    async with db.read() as reader:
        assert await reader.scalar(count) == 0
        async with db.transaction() as tx:
            tx.emit(emission("meanwhile"))
        assert await reader.scalar(count) == 0
    with pytest.raises(sa.exc.DBAPIError, match="read-only"):
        async with db.read() as reader:
            await reader.execute(sa.delete(outbox))


async def test_a_read_that_a_restore_overtakes_is_busy(db: Database) -> None:
    """Its snapshot is older than the rows that `pg_restore --clean` puts into the new table."""
    await backlog(db)
    async with db.transaction() as restore:
        await restore.execute(sa.text("CREATE TABLE saved AS TABLE relay_mark"))
        await restore.execute(sa.text("DROP TABLE relay_mark"))
        reading = asyncio.create_task(backlog(db))
        await until(lambda: _waits_for_a_lock(restore))
        await restore.execute(sa.text("ALTER TABLE saved RENAME TO relay_mark"))
    with pytest.raises(DatabaseBusy):
        await reading
    assert (await backlog(db)).sent == 0


async def _waits_for_a_lock(tx: Transaction) -> bool:
    return bool(await tx.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


async def test_a_full_pool_is_busy(dsn: str) -> None:
    small = Database(dsn, service="test", pool_size=1, pool_wait_seconds=0.1)
    async with small.transaction():
        with pytest.raises(DatabaseBusy):
            async with small.transaction():
                pytest.fail("a second connection came out of a pool of one")
    await small.dispose()


async def test_a_lost_connection_is_unavailable_and_the_next_transaction_works(db: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with db.transaction() as tx:
            pid = await tx.scalar(sa.select(sa.func.pg_backend_pid()))
            async with db.transaction() as killer:
                await killer.scalar(sa.select(sa.func.pg_terminate_backend(pid)))
            await tx.scalar(sa.select(1))
    async with db.transaction() as tx:
        assert await tx.scalar(sa.select(1)) == 1


async def test_a_connection_that_was_lost_before_the_commit_is_unavailable(db: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with db.transaction() as tx:
            pid = await tx.scalar(sa.select(sa.func.pg_backend_pid()))
            async with db.transaction() as killer:
                await killer.scalar(sa.select(sa.func.pg_terminate_backend(pid)))
            await until(tx._driver.is_closed)


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    nowhere = Database("postgresql://nobody:x@127.0.0.1:1/none", service="test")
    with pytest.raises(DatabaseUnavailable):
        async with nowhere.transaction():
            pytest.fail("there is no database")
    with pytest.raises(DatabaseUnavailable):
        async with nowhere.exclusive("work"):
            pytest.fail("there is no database")


async def test_parameters_stay_out_of_an_errors_text(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught:
        async with db.transaction() as tx:
            await tx.execute(sa.text("SELECT CAST(:number AS integer)"), {"number": "330199199001010015"})
    assert "330199199001010015" not in str(caught.value).split("\n")[1]


async def test_only_one_holds_a_lock_and_the_next_gets_it(db: Database) -> None:
    entered = asyncio.Event()

    async def second() -> None:
        async with db.exclusive("relay") as lock:
            await lock.confirm()
            entered.set()

    async with db.exclusive("relay") as first:
        waiting = asyncio.create_task(second())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(entered.wait(), 0.2)
        await first.confirm()
    await asyncio.wait_for(waiting, 5)


# The driver's own request to cancel ends with the connection that it was for, its transport unclosed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_who_waits_for_a_lock_hears_of_a_database_that_fell_silent(db: Database, dsn: str) -> None:
    address = sa.make_url(dsn)
    assert address.port is not None
    [port] = free_ports(1)
    proxy = Proxy("postgres", port, address.port)
    await proxy.start()
    far = Database(address.set(port=port).render_as_string(hide_password=False), service="far")

    async def wait_for_lock() -> None:
        async with far.exclusive("relay"):
            raise AssertionError

    async with db.exclusive("relay"):
        waiting = asyncio.create_task(wait_for_lock())
        await until(lambda: _is_asked_for(db, "anju-far"))
        proxy.fall_silent()
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(waiting, 20)
    await proxy.stop()
    gc.collect()


async def _is_asked_for(db: Database, application: str) -> bool:
    asked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND query LIKE '%advisory%'")
    async with db.read() as tx:
        return bool(await tx.scalar(asked.bindparams(name=application)))


async def test_confirm_tells_that_the_locks_session_is_gone(db: Database) -> None:
    async with db.exclusive("relay") as lock:
        await _terminate_others(db)
        with pytest.raises(DatabaseUnavailable):
            await lock.confirm()


async def test_a_listener_is_woken_and_comes_back_after_a_cut(db: Database) -> None:
    wakes: asyncio.Queue[None] = asyncio.Queue()

    async def listen() -> None:
        async for _ in db.listen("changes", poll_seconds=60):
            wakes.put_nowait(None)

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(wakes.get(), 5)
    async with db.transaction() as tx:
        await tx.notify("changes")
    await asyncio.wait_for(wakes.get(), 5)
    await _terminate_others(db)
    await asyncio.wait_for(wakes.get(), 5)
    listening.cancel()


@pytest.mark.parametrize("rounds", range(6))
async def test_a_listener_that_is_cancelled_as_it_is_woken_ends(
    db: Database, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    """A cut of all connections wakes the listener and has it cancelled, so many rounds of the loop later."""
    opened: list[Driver] = []
    connect = db._connect

    async def connect_and_keep(**settings: str) -> Driver:
        opened.append(await connect(**settings))
        return opened[-1]

    monkeypatch.setattr(db, "_connect", connect_and_keep)
    listened = asyncio.Event()

    async def listen() -> None:
        async for _ in db.listen("changes", poll_seconds=60):
            listened.set()

    def cancel_after(left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(cancel_after, left - 1)
        else:
            listening.cancel()

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(listened.wait(), 5)
    await opened[0].add_listener("changes", lambda *_: cancel_after(rounds))
    await opened[0].execute("NOTIFY changes")
    done, _ = await asyncio.wait([listening], timeout=5)
    assert done, "it goes on listening, and who waits for its end waits for ever"
    assert listening.cancelled()


async def _terminate_others(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def test_disposing_closes_the_connection_that_wakes_the_relay(db: Database, dsn: str) -> None:
    woken = Database(dsn, service="woken")
    woken.after_every_commit(Wake(woken))
    async with woken.transaction() as tx:
        tx.emit(emission("a reason to wake"))
    await woken.dispose()

    async def no_session_is_left() -> bool:
        sessions = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'anju-woken'")
        async with db.read() as tx:
            return bool(await tx.scalar(sessions) == 0)

    await until(no_session_is_left)
