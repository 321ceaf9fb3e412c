"""Finds the premises around a point, and which of them have open alerts: what a small map draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.alerts.domain.alerts import Severity
from services.alerts.storage.tables import alerts, dwellings

# More marks than this lie on top of each other.
MOST = 150


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of ground, its sides in degrees."""

    south: float
    north: float
    west: float
    east: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Premises with their point in degrees; `worst` of their open alerts, None without any, and how many are open."""

    premises_id: UUID
    latitude: float
    longitude: float
    worst: Severity | None
    alerts: int


async def within(tx: Transaction, box: Box, *, but: UUID) -> Sequence[Neighbour]:
    """Return the premises in a box other than `but`: those with open alerts first, worst first."""
    rank = sa.case({each.value: place for place, each in enumerate(Severity)}, value=alerts.c.severity)
    waiting = (
        sa.select(alerts.c.premises_id, sa.func.min(rank).label("worst"), sa.func.count().label("number"))
        .where(alerts.c.due_at.is_not(None))
        .group_by(alerts.c.premises_id)
        .subquery()
    )
    query = (
        sa.select(
            dwellings.c.premises_id, dwellings.c.latitude, dwellings.c.longitude, waiting.c.worst, waiting.c.number
        )
        .outerjoin(waiting, waiting.c.premises_id == dwellings.c.premises_id)
        .where(
            dwellings.c.latitude.between(box.south, box.north),
            dwellings.c.longitude.between(box.west, box.east),
            dwellings.c.premises_id != but,
        )
        .order_by(waiting.c.worst.nulls_last(), dwellings.c.premises_id)
        .limit(MOST)
    )
    ranks = list(Severity)
    return [
        Neighbour(
            row.premises_id,
            row.latitude,
            row.longitude,
            ranks[row.worst] if row.worst is not None else None,
            row.number or 0,
        )
        for row in await tx.all(query)
    ]
