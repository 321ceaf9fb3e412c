"""Keeps what the rules look at of premises: housing's facts and the headcount, each in its newest version."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared, Row
from services.alerts.domain.rules import Hazard
from services.alerts.storage.tables import dwellings

Version = tuple[int, int]
NEVER: Version = (0, 0)

_LOCK = Prepared(
    sa.select(dwellings)
    .where(dwellings.c.premises_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid))))
    .order_by(dwellings.c.premises_id)
    .with_for_update()
)
_MAKE = Prepared(insert(dwellings).on_conflict_do_nothing(index_elements=["premises_id"]), ["premises_id"])
_SAVE = Prepared(
    sa.update(dwellings).where(dwellings.c.premises_id == sa.bindparam("its_premises")),
    [column.name for column in dwellings.c if column.name != "premises_id"],
)


@dataclass(frozen=True, slots=True)
class PremisesState:
    """What housing tells of premises. Coordinates are WGS 84 degrees as housing has them."""

    status: str
    capacity: int
    one_household: bool
    hazards: tuple[Hazard, ...]
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class DwellingRow:
    """Both sides as they are known: None and version NEVER where nothing was told, or its end."""

    premises_id: UUID
    premises: PremisesState | None
    premises_version: Version
    headcount: int | None
    headcount_version: Version


async def lock(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, DwellingRow]:
    """Return the rows of these premises, made where missing, locked in the order of their ids."""
    ordered = sorted(set(ids))
    found = await tx.fetch(_LOCK, {"ids": ordered})
    if len(found) < len(ordered):
        await tx.execute_many(_MAKE, [{"premises_id": each} for each in ordered])
        found = await tx.fetch(_LOCK, {"ids": ordered})
    return {row.premises_id: _dwelling(row) for row in found}


async def load(tx: Transaction, premises_id: UUID) -> DwellingRow | None:
    """Return one row without locking it."""
    row = await tx.one_or_none(sa.select(dwellings).where(dwellings.c.premises_id == premises_id))
    return _dwelling(row) if row is not None else None


async def save(tx: Transaction, row: DwellingRow) -> None:
    """Store a row that `lock` gave; one of which neither side is known is deleted."""
    if row.premises is None and row.headcount is None:
        await tx.execute(sa.delete(dwellings).where(dwellings.c.premises_id == row.premises_id))
        return
    await tx.run(_SAVE, {**_values(row), "its_premises": row.premises_id})


async def keys_with_headcount(tx: Transaction) -> Sequence[str]:
    """Return the ids of all premises whose headcount is known."""
    query = sa.select(dwellings.c.premises_id).where(dwellings.c.headcount.is_not(None))
    return [str(row[0]) for row in await tx.all(query)]


def _values(row: DwellingRow) -> dict[str, Any]:
    place = row.premises
    hazards = None
    if place:
        hazards = [
            {"item": each.item, "severity": each.severity, "found_at": each.found_at.isoformat()}
            for each in place.hazards
        ]
    return {
        "status": place.status if place else None,
        "capacity": place.capacity if place else None,
        "one_household": place.one_household if place else None,
        "hazards": hazards,
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "premises_epoch": row.premises_version[0],
        "premises_number": row.premises_version[1],
        "headcount": row.headcount,
        "headcount_epoch": row.headcount_version[0],
        "headcount_number": row.headcount_version[1],
    }


def _dwelling(row: sa.Row[Any] | Row) -> DwellingRow:
    premises = None
    if row.status is not None:
        hazards = tuple(
            Hazard(each["item"], each["severity"], datetime.fromisoformat(each["found_at"])) for each in row.hazards
        )
        premises = PremisesState(row.status, row.capacity, row.one_household, hazards, row.latitude, row.longitude)
    return DwellingRow(
        row.premises_id,
        premises,
        (row.premises_epoch, row.premises_number),
        row.headcount,
        (row.headcount_epoch, row.headcount_number),
    )
