"""Closures of premises, written and read."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.housing.domain.closures import Closure
from services.housing.domain.units import Actor
from services.housing.storage.tables import closures


async def add(tx: Transaction, premises_id: UUID, closure: Closure, actor: Actor) -> None:
    """Insert a closure."""
    await tx.execute(
        sa.insert(closures).values(
            closure_id=closure.closure_id,
            premises_id=premises_id,
            closed_at=closure.closed_at,
            reason=closure.reason,
            headcount=closure.headcount,
            closed_by=actor.subject,
            closed_unit=actor.unit,
        )
    )


async def end(tx: Transaction, premises_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Write that the premises are open again."""
    await tx.execute(
        sa.update(closures)
        .where(closures.c.premises_id == premises_id, closures.c.reopened_at.is_(None))
        .values(
            # Not before the closing, also where another machine's clock is behind.
            reopened_at=sa.func.greatest(closures.c.closed_at, now),
            reopened_reason=reason,
            reopened_by=actor.subject,
            reopened_unit=actor.unit,
        )
    )


async def latest(tx: Transaction, premises_id: UUID, limit: int) -> list[Closure]:
    """Return the closures of premises, newest first."""
    query = (
        sa.select(closures).where(closures.c.premises_id == premises_id).order_by(closures.c.closed_at.desc())
    ).limit(limit)
    return [
        Closure(row.closure_id, row.closed_at, row.reason, row.headcount, row.reopened_at, row.reopened_reason)
        for row in await tx.all(query)
    ]


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete closures that ended at `cut_off` or before. The one that still holds stays: it says why."""
    old = sa.select(closures.c.closure_id).where(closures.c.reopened_at <= cut_off).order_by(closures.c.reopened_at)
    old = old.limit(limit).with_for_update(skip_locked=True)
    return (await tx.execute(sa.delete(closures).where(closures.c.closure_id.in_(old)))).rowcount
