"""Reads and writes the handovers of shifts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from chassis.data.encryption import erase
from services.alerts.domain.handovers import Handover
from services.alerts.domain.officers import Officer
from services.alerts.storage.handover_tables import handovers


async def insert_unless_open(tx: Transaction, offer: Handover) -> bool:
    """Store an offer; False when its giver has one that is open."""
    stored = await tx.execute(
        insert(handovers)
        .values(_values(offer))
        .on_conflict_do_nothing(index_elements=["giver"], index_where=handovers.c.ended_at.is_(None))
    )
    return stored.rowcount == 1


async def load_for_change(tx: Transaction, handover_id: UUID) -> Handover | None:
    """Load one handover and lock it."""
    query = sa.select(handovers).where(handovers.c.handover_id == handover_id).with_for_update()
    row = await tx.one_or_none(query)
    return _handover(row) if row is not None else None


async def save(tx: Transaction, offer: Handover) -> None:
    """Store a handover as it now stands."""
    its = handovers.c.handover_id == offer.handover_id
    await tx.execute(sa.update(handovers).where(its).values(_values(offer)))


async def still_open(tx: Transaction) -> Sequence[Handover]:
    """Return the offers that nobody has taken, oldest first."""
    query = sa.select(handovers).where(handovers.c.ended_at.is_(None)).order_by(handovers.c.offered_at)
    return [_handover(row) for row in await tx.all(query)]


async def count_offered(tx: Transaction, but: str) -> int:
    """Return how many offers of others than `but` are open."""
    its = (handovers.c.ended_at.is_(None), handovers.c.giver != but)
    number: int = await tx.scalar(sa.select(sa.func.count()).select_from(handovers).where(*its))
    return number


async def latest_taken(tx: Transaction, limit: int) -> Sequence[Handover]:
    """Return the latest that were taken, newest first."""
    query = sa.select(handovers).where(handovers.c.taker.is_not(None))
    return [_handover(row) for row in await tx.all(query.order_by(handovers.c.offered_at.desc()).limit(limit))]


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete handovers that ended at `cut_off` or before, and their notes with them."""
    old = sa.select(handovers.c.handover_id).where(handovers.c.ended_at <= cut_off).limit(limit)
    ids = [row.handover_id for row in await tx.all(old.with_for_update(skip_locked=True))]
    await tx.execute(sa.delete(handovers).where(handovers.c.handover_id.in_(ids)))
    await erase(tx, ids)
    return len(ids)


def _values(offer: Handover) -> dict[str, Any]:
    taker = offer.taker
    return {
        "handover_id": offer.handover_id,
        "giver": offer.giver.subject,
        "giver_name": offer.giver.name,
        "giver_unit": offer.giver.unit,
        "offered_at": offer.offered_at,
        "note": offer.note,
        "ended_at": offer.ended_at,
        "taker": taker.subject if taker else None,
        "taker_name": taker.name if taker else None,
        "taker_unit": taker.unit if taker else None,
        "alerts": offer.alerts,
    }


def _handover(row: sa.Row[Any]) -> Handover:
    return Handover(
        handover_id=row.handover_id,
        giver=Officer(row.giver, row.giver_name, row.giver_unit),
        offered_at=row.offered_at,
        note=row.note,
        ended_at=row.ended_at,
        taker=Officer(row.taker, row.taker_name, row.taker_unit) if row.taker is not None else None,
        alerts=row.alerts,
    )
