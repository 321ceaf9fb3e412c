"""Headcounts of premises. The row's lock puts arrivals and departures at one place in an order."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.registration.domain.premises import Premises
from services.registration.storage.premises import premises_of
from services.registration.storage.tables import occupancy, premises
from services.registration.storage.units import areas_of


@dataclass(frozen=True, slots=True)
class Occupancy:
    """A headcount and the number of its version."""

    premises_id: UUID
    headcount: int
    version: int


@dataclass(frozen=True, slots=True)
class Entered:
    """What one statement finds out about an arrival: the new headcount, the premises, the areas of the actor's unit."""

    occupancy: Occupancy
    premises: Premises
    areas: tuple[str, ...]


async def enter(tx: Transaction, premises_id: UUID, unit: str) -> Entered | None:
    """Count one person more; None when housing has not published these premises."""
    row = await tx.one_or_none(
        sa.update(occupancy)
        .where(occupancy.c.premises_id == premises_id, premises.c.premises_id == occupancy.c.premises_id)
        .values(headcount=occupancy.c.headcount + 1, version=occupancy.c.version + 1)
        .returning(occupancy.c.headcount, occupancy.c.version, premises, areas_of(unit).label("areas"))
    )
    if row is None:
        return None
    return Entered(Occupancy(premises_id, row.headcount, row.version), premises_of(row), tuple(row.areas or ()))


async def leave(tx: Transaction, premises_id: UUID) -> Occupancy:
    """Count one person less."""
    row = (
        await tx.execute(
            sa.update(occupancy)
            .where(occupancy.c.premises_id == premises_id)
            .values(headcount=occupancy.c.headcount - 1, version=occupancy.c.version + 1)
            .returning(occupancy.c.headcount, occupancy.c.version)
        )
    ).one()
    return Occupancy(premises_id, row.headcount, row.version)
