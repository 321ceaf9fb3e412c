"""The audit chain: appended under load without a hole, refused to be changed, and a change is found."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.data.tables import audit_cut, audit_entries, audit_head

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 24, 2, 0, 0, 123456, tzinfo=UTC)
KEYRING = Keyring({"k1": b"s" * 32}, "k1")
SECOND = timedelta(seconds=1)


async def append(db: Database, count: int, at: datetime = NOW) -> None:
    async with db.transaction() as tx:
        entries = [
            audit.Entry(
                "officer", "station-01", "stay-read", uuid4(), "registration_service", "C-1", {"rows": n, "all": False}
            )
            for n in range(count)
        ]
        audit.record(tx, entries, at)


async def test_a_chain_written_by_many_at_once_is_whole(db: Database) -> None:
    await asyncio.gather(*(append(db, count) for count in (1, 2, 3, 4, 5)))
    assert await audit.verify(db, KEYRING) == audit.ChainReport(15)


async def test_an_entry_of_a_transaction_that_failed_is_not_there(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            audit.record(tx, audit.Entry("a", "u", "x", "s"), NOW)
            raise ZeroDivisionError
    assert await audit.verify(db, KEYRING) == audit.ChainReport(0)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"]
)
async def test_the_database_refuses_to_change_it(db: Database, statement: str) -> None:
    await append(db, 2)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        async with db.transaction() as tx:
            await tx.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("tampering", "first_bad", "why"),
    [
        (sa.update(audit_entries).where(audit_entries.c.id == 3).values(actor="x"), 3, "content differs"),
        (sa.update(audit_entries).where(audit_entries.c.id == 2).values(detail={"rows": 9}), 2, "content differs"),
        (
            sa.update(audit_entries).where(audit_entries.c.id == 4).values(previous_hash=b"x"),
            4,
            "previous hash differs",
        ),
        (sa.delete(audit_entries).where(audit_entries.c.id == 2), 2, "missing"),
        (sa.delete(audit_entries).where(audit_entries.c.id == 5), 5, "the head names another last row"),
        (sa.update(audit_head).values(last_id=9), 6, "the head names another last row"),
    ],
)
async def test_the_verifier_names_the_first_row_that_was_changed(
    db: Database, tampering: sa.Executable, first_bad: int, why: str
) -> None:
    await append(db, 5)
    async with db.transaction() as tx:
        await tx.execute(sa.text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        await tx.execute(tampering)
    report = await audit.verify(db, KEYRING)
    assert (report.first_bad, report.why) == (first_bad, why)


async def forget(db: Database, cut_off: datetime, limit: int = 100, keyring: Keyring = KEYRING) -> int:
    async with db.transaction() as tx:
        return await audit.forget(tx, cut_off, limit, keyring=keyring)


async def by_hand(db: Database, *statements: sa.Executable) -> None:
    """What somebody does who owns the database and knows none of the service's keys."""
    async with db.transaction() as tx:
        await tx.execute(sa.text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        for statement in statements:
            await tx.execute(statement)
        await tx.execute(sa.text("ALTER TABLE audit_entries ENABLE TRIGGER USER"))


async def test_the_oldest_entries_go_and_the_rest_is_still_a_chain(db: Database) -> None:
    await append(db, 3)
    await append(db, 2, NOW + SECOND)
    assert await forget(db, NOW - SECOND) == 0
    assert await forget(db, NOW, limit=2) == 2
    assert await forget(db, NOW, limit=2) == 1
    assert await forget(db, NOW, limit=2) == 0
    assert await audit.verify(db, KEYRING) == audit.ChainReport(2)
    await append(db, 1, NOW + SECOND)
    assert await audit.verify(db, KEYRING) == audit.ChainReport(3)
    assert await forget(db, NOW + SECOND) == 3
    assert await audit.verify(db, KEYRING) == audit.ChainReport(0)
    await append(db, 2, NOW + 2 * SECOND)
    assert await audit.verify(db, KEYRING) == audit.ChainReport(2)


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"])
async def test_what_is_left_after_a_cut_is_still_append_only(db: Database, statement: str) -> None:
    await append(db, 2)
    await append(db, 2, NOW + SECOND)
    assert await forget(db, NOW) == 2
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        async with db.transaction() as tx:
            await tx.execute(sa.text(statement))


async def test_a_beginning_cut_by_hand_is_found(db: Database) -> None:
    await append(db, 5)
    await by_hand(db, sa.delete(audit_entries).where(audit_entries.c.id <= 2))
    report = await audit.verify(db, KEYRING)
    assert (report.first_bad, report.why) == (1, "missing")


@pytest.mark.parametrize("after", [0, 1], ids=["never cut", "cut before"])
async def test_a_cut_that_the_service_did_not_make_is_found(db: Database, after: int) -> None:
    """Also one that says where it cut, with everything that the database knows; and the next cut does not bless it."""
    await append(db, 1)
    await append(db, 4, NOW + SECOND)
    assert await forget(db, NOW, limit=after) == after
    async with db.read() as tx:
        second = await tx.scalar(sa.select(audit_entries.c.hash).where(audit_entries.c.id == 2))
    forged = sa.update(audit_cut).values(last_id=2, hash=second)
    await by_hand(db, forged, sa.delete(audit_entries).where(audit_entries.c.id <= 2))
    report = await audit.verify(db, KEYRING)
    assert (report.first_bad, report.why) == (1, "missing, and not removed by this service")
    with pytest.raises(audit.BrokenChain):
        await forget(db, NOW + 2 * SECOND)


async def test_a_cut_under_a_key_that_is_not_here_is_not_believed(db: Database) -> None:
    await append(db, 2)
    assert await forget(db, NOW, keyring=Keyring({"other": b"o" * 32}, "other")) == 2
    assert (await audit.verify(db, KEYRING)).first_bad == 1
    both = Keyring({"k1": b"s" * 32, "other": b"o" * 32}, "k1")
    assert (await audit.verify(db, both)).first_bad is None


@pytest.mark.parametrize(
    "tampering",
    [
        sa.update(audit_entries).where(audit_entries.c.id == 2).values(actor="x"),
        sa.delete(audit_entries).where(audit_entries.c.id == 1),
    ],
)
async def test_what_was_changed_is_not_forgotten_as_if_nothing_were(db: Database, tampering: sa.Executable) -> None:
    await append(db, 3)
    await by_hand(db, tampering)
    with pytest.raises(audit.BrokenChain):
        await forget(db, NOW)
    assert (await audit.verify(db, KEYRING)).first_bad is not None


async def test_entries_are_appended_while_the_oldest_go(db: Database) -> None:
    await append(db, 40)
    await asyncio.gather(
        *(append(db, 3, NOW + SECOND) for _ in range(5)), *(forget(db, NOW, limit=15) for _ in range(3))
    )
    assert await audit.verify(db, KEYRING) == audit.ChainReport(15)
