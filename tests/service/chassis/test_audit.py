"""The audit chain: appended under load without a hole, refused to be changed, and a change is found."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database
from chassis.data.tables import audit_entries, audit_head

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 24, 2, 0, 0, 123456, tzinfo=UTC)


async def append(db: Database, count: int) -> None:
    async with db.transaction() as tx:
        entries = [
            audit.Entry(
                "officer", "station-01", "stay-read", uuid4(), "registration_service", "C-1", {"rows": n, "all": False}
            )
            for n in range(count)
        ]
        audit.record(tx, entries, NOW)


async def test_a_chain_written_by_many_at_once_is_whole(db: Database) -> None:
    await asyncio.gather(*(append(db, count) for count in (1, 2, 3, 4, 5)))
    assert await audit.verify(db) == audit.ChainReport(15)


async def test_an_entry_of_a_transaction_that_failed_is_not_there(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            audit.record(tx, audit.Entry("a", "u", "x", "s"), NOW)
            raise ZeroDivisionError
    assert await audit.verify(db) == audit.ChainReport(0)


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
    report = await audit.verify(db)
    assert (report.first_bad, report.why) == (first_bad, why)
