"""Travels in time through a service's terms, and looks for ids in every column of every table."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis.data.db import Database, Transaction
from chassis.events.tables import outbox, relay_mark
from chassis.run import forgetting
from chassis.run.forgetting import Removal
from policy import packs

PACKS = packs.load()
RETENTION = PACKS.on(datetime(2026, 11, 24).date(), "330199").retention  # noqa: DTZ001 - a day of the city
# A term in months that begins on a month's last days is over up to three days late (policy.retention.Term.cut_off).
LATE = timedelta(days=3)
MOMENT = timedelta(seconds=2)


@contextmanager
def database_clock(moment: datetime) -> Iterator[None]:
    """Let the database's clock stand at a moment, for use cases that ask it for the time."""

    async def stands(tx: Transaction) -> datetime:
        return moment

    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(Transaction, "database_time", stands)
        yield


@dataclass(frozen=True)
class Traveller:
    """Runs a service's one job of forgetting at any time."""

    db: Database
    removals: Sequence[Removal]

    async def forget(self, now: datetime) -> None:
        """Run the job as its timer does."""
        await forgetting.forget(self.db, self.removals, lambda class_: RETENTION.after(class_).cut_off(now))

    async def before(self, class_: str, began: datetime) -> None:
        """Just before the term of a class that began then is over."""
        await self.forget(RETENTION.after(class_).ends(began) - MOMENT)

    async def after(self, class_: str, began: datetime) -> datetime:
        """Just after it is over; returns when that is."""
        now = RETENTION.after(class_).ends(began) + LATE
        await self.forget(now)
        return now

    async def holding(self, what: UUID | str) -> set[str]:
        """The tables in which a value stands in any column: in clear, in JSON, as bytes, or as bytes of its text."""
        text = str(what)
        spellings = {text, text.encode().hex()} | ({what.hex} if isinstance(what, UUID) else set())
        pattern = "|".join(sorted(spellings))
        async with self.db.read() as tx:
            tables = await tx.all(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            assert len(tables) > 10
            found = set()
            for (table,) in tables:
                there = sa.text(f'SELECT EXISTS (SELECT FROM "{table}" AS t WHERE t::text ~ :pattern)')
                if await tx.scalar(there.bindparams(pattern=pattern)):
                    found.add(table)
        return found

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        async with self.db.read() as tx:
            return int(await tx.scalar(sa.text(f'SELECT count(*) FROM "{table}"')))

    async def send_outbox(self) -> None:
        """Do what the relay does to rows when Kafka has acknowledged them."""
        async with self.db.transaction() as tx:
            first: int = await tx.scalar(sa.select(relay_mark.c.sent))
            rows = await tx.all(sa.select(outbox.c.id).where(outbox.c.relay_number.is_(None)).order_by(outbox.c.id))
            for number, row in enumerate(rows, first + 1):
                numbers = {"relay_number": number, "partition": 0, "epoch": 1, "sequence": number}
                await tx.execute(sa.update(outbox).where(outbox.c.id == row.id).values(numbers))
            last = first + len(rows)
            await tx.execute(sa.update(relay_mark).values(numbered=last, sent=last))
