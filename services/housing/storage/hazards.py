"""Hazards of premises, written and read."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.housing.domain.hazards import Changes, Hazard
from services.housing.domain.units import Actor
from services.housing.storage.tables import hazards, inspection_items, inspections


async def open_of(tx: Transaction, premises_id: UUID) -> tuple[Hazard, ...]:
    """Return the open hazards of premises in the order in which they were found."""
    query = (
        sa.select(hazards)
        .where(hazards.c.premises_id == premises_id, hazards.c.cleared_at.is_(None))
        .order_by(hazards.c.found_at, hazards.c.item)
    )
    return tuple(_hazard(row) for row in await tx.all(query))


async def premises_of(tx: Transaction, hazard_id: UUID) -> UUID | None:
    """Return whose hazard it is, or None."""
    found: UUID | None = await tx.scalar(sa.select(hazards.c.premises_id).where(hazards.c.hazard_id == hazard_id))
    return found


async def find(tx: Transaction, hazard_id: UUID) -> Hazard | None:
    """Return a hazard, open or cleared, or None."""
    row = await tx.one_or_none(sa.select(hazards).where(hazards.c.hazard_id == hazard_id))
    return None if row is None else _hazard(row)


async def looked_at(tx: Transaction, premises_id: UUID) -> dict[str, datetime]:
    """Return of each item of premises when it was last looked at (passed or failed) or its hazard cleared."""
    visited = (
        sa.select(inspection_items.c.item, inspections.c.inspected_at.label("at"))
        .join(inspections, inspections.c.inspection_id == inspection_items.c.inspection_id)
        .where(inspections.c.premises_id == premises_id, inspection_items.c.result != "not_applicable")
    )
    cleared = sa.select(hazards.c.item, hazards.c.cleared_at.label("at")).where(
        hazards.c.premises_id == premises_id, hazards.c.cleared_at.is_not(None)
    )
    looks = sa.union_all(visited, cleared).subquery()
    rows = await tx.all(sa.select(looks.c.item, sa.func.max(looks.c.at).label("at")).group_by(looks.c.item))
    return {row.item: row.at for row in rows}


async def keep(tx: Transaction, premises_id: UUID, changes: Changes, inspection_id: UUID, actor: Actor) -> None:
    """Write what a visit changed."""
    if changes.found:
        await tx.execute(
            sa.insert(hazards),
            [
                {
                    "hazard_id": hazard.hazard_id,
                    "premises_id": premises_id,
                    "item": hazard.item,
                    "severity": hazard.severity,
                    "found_at": hazard.found_at,
                    "found_by_inspection": inspection_id,
                }
                for hazard in changes.found
            ],
        )
    for hazard in changes.raised:
        await _update(tx, hazard.hazard_id, {"severity": hazard.severity})
    for hazard in changes.cleared:
        who = {"cleared_by": actor.subject, "cleared_unit": actor.unit, "cleared_by_inspection": inspection_id}
        await _update(tx, hazard.hazard_id, {"cleared_at": hazard.cleared_at, **who})


async def keep_cleared(tx: Transaction, hazard: Hazard, note: str, actor: Actor) -> None:
    """Write that a hazard was cleared by itself."""
    who = {"cleared_by": actor.subject, "cleared_unit": actor.unit, "cleared_note": note}
    await _update(tx, hazard.hazard_id, {"cleared_at": hazard.cleared_at, **who})


async def cleared_of(tx: Transaction, premises_id: UUID, limit: int) -> list[Hazard]:
    """Return the hazards of premises that are no more, cleared last first."""
    query = (
        sa.select(hazards)
        .where(hazards.c.premises_id == premises_id, hazards.c.cleared_at.is_not(None))
        .order_by(hazards.c.cleared_at.desc(), hazards.c.item)
        .limit(limit)
    )
    return [_hazard(row) for row in await tx.all(query)]


async def _update(tx: Transaction, hazard_id: UUID, values: dict[str, Any]) -> None:
    await tx.execute(sa.update(hazards).where(hazards.c.hazard_id == hazard_id).values(values))


def _hazard(row: sa.Row[Any]) -> Hazard:
    return Hazard(row.hazard_id, row.item, row.severity, row.found_at, row.cleared_at)
