"""The unit tree in the database."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from services.registration.domain.units import Unit
from services.registration.storage.tables import units


def areas_of(unit: str | sa.BindParameter[str]) -> sa.ScalarSelect[list[str]]:
    """Return a subquery of a unit's areas, for use beside what else a statement reads."""
    return sa.select(units.c.areas).where(units.c.unit_id == unit).scalar_subquery()


async def areas(tx: Transaction, unit: str) -> tuple[str, ...]:
    """Return a unit's areas; an unknown unit has none."""
    return tuple(await tx.scalar(sa.select(areas_of(unit))) or ())


async def names(tx: Transaction) -> dict[str, tuple[str, str]]:
    """Return each unit's names in Chinese and English."""
    rows = await tx.all(sa.select(units.c.unit_id, units.c.name_zh, units.c.name_en))
    return {row.unit_id: (row.name_zh, row.name_en) for row in rows}


async def lock_all(tx: Transaction) -> dict[str, tuple[Unit, int]]:
    """Load every unit with its version, under a lock against another loader."""
    await tx.execute(sa.text("LOCK TABLE units IN SHARE ROW EXCLUSIVE MODE"))
    return await every(tx)


async def every(tx: Transaction) -> dict[str, tuple[Unit, int]]:
    """Load every unit with its version."""
    return {
        row.unit_id: (
            Unit(row.unit_id, row.name_zh, row.name_en, row.kind, row.parent, tuple(row.areas), tuple(row.roles)),
            row.version,
        )
        for row in await tx.all(sa.select(units))
    }


async def save(tx: Transaction, unit: Unit, version: int) -> None:
    """Insert or replace a unit."""
    values = {
        "unit_id": unit.unit_id,
        "name_zh": unit.name_zh,
        "name_en": unit.name_en,
        "kind": unit.kind,
        "parent": unit.parent,
        "areas": list(unit.areas),
        "roles": list(unit.roles),
        "version": version,
    }
    await tx.execute(insert(units).values(values).on_conflict_do_update(index_elements=["unit_id"], set_=values))


async def remove(tx: Transaction, unit_ids: Sequence[str]) -> None:
    """Delete units."""
    await tx.execute(sa.delete(units).where(units.c.unit_id.in_(unit_ids)))
