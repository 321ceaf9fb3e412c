"""Inspections and what they found, written and read; never changed."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.housing.domain.inspections import Finding, Inspection
from services.housing.domain.units import Actor
from services.housing.storage.tables import hazards, inspection_items, inspections


async def add(tx: Transaction, done: Inspection, actor: Actor) -> None:
    """Insert an inspection with its items."""
    await tx.execute(
        sa.insert(inspections).values(
            inspection_id=done.inspection_id,
            premises_id=done.premises_id,
            checklist_version=done.checklist_version,
            entry_basis=done.entry_basis,
            outcome=done.outcome,
            inspected_at=done.inspected_at,
            recorded_at=done.recorded_at,
            inspected_by=actor.subject,
            inspected_unit=actor.unit,
        )
    )
    if done.items:
        await tx.execute(
            sa.insert(inspection_items),
            [
                {
                    "inspection_id": done.inspection_id,
                    "item": finding.item,
                    "result": finding.result,
                    "severity": finding.severity,
                    "note": finding.note,
                }
                for finding in done.items
            ],
        )


async def latest(tx: Transaction, premises_id: UUID, limit: int) -> list[Inspection]:
    """Return the latest visits of premises, newest first, each with its items by code."""
    query = (
        sa.select(inspections)
        .where(inspections.c.premises_id == premises_id)
        .order_by(inspections.c.inspected_at.desc(), inspections.c.inspection_id.desc())
        .limit(limit)
    )
    rows = await tx.all(query)
    found = await tx.all(
        sa.select(inspection_items)
        .where(inspection_items.c.inspection_id.in_([row.inspection_id for row in rows]))
        .order_by(inspection_items.c.item)
    )
    items: dict[UUID, list[Finding]] = defaultdict(list)
    for row in found:
        items[row.inspection_id].append(Finding(row.item, row.result, row.severity, row.note))
    return [_inspection(row, tuple(items[row.inspection_id])) for row in rows]


def _inspection(row: sa.Row[Any], items: tuple[Finding, ...]) -> Inspection:
    return Inspection(
        inspection_id=row.inspection_id,
        premises_id=row.premises_id,
        checklist_version=row.checklist_version,
        entry_basis=row.entry_basis,
        outcome=row.outcome,
        inspected_at=row.inspected_at,
        recorded_at=row.recorded_at,
        items=items,
    )


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete visits of `cut_off` and before with the hazards they found; of each hazard the clearing counts.

    A visit of which a hazard is open, or was cleared later, stays whole, and so does the visit that cleared a hazard
    which stays. Figures do not change: what was found and cleared counts nothing on any day that is still counted.
    """
    visit = inspections.c.inspection_id
    running = sa.exists().where(
        hazards.c.found_by_inspection == visit,
        sa.or_(hazards.c.cleared_at.is_(None), hazards.c.cleared_at > cut_off),
    )
    cleared = sa.exists().where(hazards.c.cleared_by_inspection == visit, hazards.c.found_by_inspection != visit)
    old = sa.select(visit).where(inspections.c.inspected_at <= cut_off, ~running, ~cleared)
    old = old.order_by(inspections.c.inspected_at).limit(limit).with_for_update(skip_locked=True)
    ids = [row.inspection_id for row in await tx.all(old)]
    for part in (hazards.c.found_by_inspection, inspection_items.c.inspection_id, inspections.c.inspection_id):
        await tx.execute(sa.delete(part.table).where(part.in_(ids)))
    return len(ids)
