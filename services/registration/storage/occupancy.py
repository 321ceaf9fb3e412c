"""Headcounts of premises. The row's lock puts arrivals and departures at one place in an order."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared
from services.registration.domain.premises import Premises
from services.registration.storage.premises import premises_of
from services.registration.storage.tables import occupancy, premises
from services.registration.storage.units import areas_of

_ENTER = Prepared(
    sa.update(occupancy)
    .where(occupancy.c.premises_id == sa.bindparam("its_premises"), premises.c.premises_id == occupancy.c.premises_id)
    .values(headcount=occupancy.c.headcount + 1, version=occupancy.c.version + 1)
    .returning(occupancy.c.headcount, occupancy.c.version, premises, areas_of(sa.bindparam("its_unit")).label("areas"))
)


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
    rows = await tx.fetch(_ENTER, {"its_premises": premises_id, "its_unit": unit})
    if not rows:
        return None
    row = rows[0]
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


async def published(tx: Transaction) -> list[UUID]:
    """Return the premises whose headcount was ever published."""
    return [row.premises_id for row in await tx.all(sa.select(occupancy.c.premises_id).where(occupancy.c.version > 0))]


async def several(tx: Transaction, premises_ids: Collection[UUID], *, for_change: bool) -> list[Occupancy]:
    """Return published headcounts; `for_change` lets no arrival or departure in between."""
    query = sa.select(occupancy).where(occupancy.c.premises_id.in_(premises_ids), occupancy.c.version > 0)
    query = query.order_by(occupancy.c.premises_id)
    rows = await tx.all(query.with_for_update() if for_change else query)
    return [Occupancy(row.premises_id, row.headcount, row.version) for row in rows]
