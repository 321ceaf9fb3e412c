"""Keeps the units of the organisation as registration last published them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from services.alerts.storage.tables import units


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its names in the two languages, and the division prefixes it is responsible for."""

    unit_id: str
    name_zh: str
    name_en: str
    kind: str
    areas: tuple[str, ...]


async def keep_newer(tx: Transaction, unit: Unit, version: tuple[int, int]) -> None:
    """Store a unit unless a newer version is here already."""
    row = insert(units).values(
        unit_id=unit.unit_id,
        name_zh=unit.name_zh,
        name_en=unit.name_en,
        kind=unit.kind,
        areas=list(unit.areas),
        epoch=version[0],
        number=version[1],
    )
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=["unit_id"],
            set_={name: row.excluded[name] for name in ("name_zh", "name_en", "kind", "areas", "epoch", "number")},
            where=sa.tuple_(units.c.epoch, units.c.number) < sa.tuple_(row.excluded.epoch, row.excluded.number),
        )
    )


async def all_units(tx: Transaction) -> dict[str, Unit]:
    """Return every unit by its id."""
    rows = await tx.all(sa.select(units).order_by(units.c.unit_id))
    return {row.unit_id: Unit(row.unit_id, row.name_zh, row.name_en, row.kind, tuple(row.areas)) for row in rows}


async def keys(tx: Transaction) -> Sequence[str]:
    """Return the ids of all units."""
    return [row[0] for row in await tx.all(sa.select(units.c.unit_id))]


async def drop(tx: Transaction, ids: Collection[str]) -> None:
    """Forget units."""
    await tx.execute(sa.delete(units).where(units.c.unit_id.in_(ids)))
