"""Reads from a service's database what tells of its health: nothing that says anything of a person."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from alembic.script.revision import RevisionError
from sqlalchemy.exc import ProgrammingError

from chassis.data.db import Database
from chassis.data.migrations import pending
from chassis.data.tables import audit_entries, audit_head
from chassis.events.dead_letters import count_open
from chassis.events.positions import Standing, standings
from chassis.events.relay_rows import Backlog, backlog
from chassis.events.tables import relay_partitions

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one partition of an own topic was numbered and acknowledged."""

    epoch: int
    numbered: int
    acknowledged_offset: int | None


@dataclass(frozen=True, slots=True)
class Clock:
    """The database's clock minus this machine's, in seconds, and how far that may be wrong."""

    ahead: float
    doubt: float


@dataclass(frozen=True, slots=True)
class Schema:
    """What the schema lacks; `newer` when this program does not know it."""

    pending: Sequence[str] = ()
    newer: bool = False


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a service's database says; what the schema does not have yet is None or empty."""

    schema: Schema
    clock: Clock
    backlog: Backlog | None = None
    marks: Mapping[Place, Mark] | None = None
    positions: Sequence[Standing] = ()
    dead_letters: Mapping[str, int] | None = None
    audit_fits: bool = True


async def look(db: Database, service: str) -> DatabaseFacts:
    """Ask the database; raises what `Database.read` raises."""
    clock = await _clock(db)
    try:
        schema = Schema(await pending(db, service))
    except RevisionError:
        schema = Schema(newer=True)
    try:
        return DatabaseFacts(
            schema,
            clock,
            backlog=await backlog(db),
            marks=await _marks(db),
            positions=await standings(db),
            dead_letters=await count_open(db),
            audit_fits=await _audit_fits(db),
        )
    except ProgrammingError:
        if schema == Schema():
            raise
        return DatabaseFacts(schema, clock)


async def _clock(db: Database) -> Clock:
    async with db.read() as tx:
        await tx.database_time()  # the connection is made now, and not timed
        before = time.time()
        there = (await tx.database_time()).timestamp()
        after = time.time()
    return Clock(there - (before + after) / 2, (after - before) / 2)


async def _marks(db: Database) -> dict[Place, Mark]:
    async with db.read() as tx:
        rows = await tx.all(sa.select(relay_partitions))
    return {(row.topic, row.partition): Mark(row.epoch, row.numbered, row.acknowledged_offset) for row in rows}


async def _audit_fits(db: Database) -> bool:
    """Whether the head names the last entry; the whole chain is walked by `anju audit verify`."""
    last = sa.select(audit_entries.c.id, audit_entries.c.hash).order_by(audit_entries.c.id.desc()).limit(1)
    async with db.read() as tx:
        head = await tx.one_or_none(sa.select(audit_head.c.last_id, audit_head.c.hash))
        entry = await tx.one_or_none(last)
    # Without any entry all of them may be past their term and removed.
    return head is not None and (entry is None or tuple(entry) == tuple(head))
