"""The organisation's units, as registration published them last."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from services.housing.domain.units import Unit
from services.housing.storage.tables import units

FIELDS = ("name_zh", "name_en", "kind", "parent", "areas", "version_epoch", "version_number")


async def put(tx: Transaction, changed: Sequence[tuple[Unit, tuple[int, int]]]) -> None:
    """Keep each unit whose version (epoch, number) is newer than the one kept; one unit stands there at most once."""
    if not changed:
        return
    rows = [
        {
            "unit_id": unit.unit_id,
            "name_zh": unit.name_zh,
            "name_en": unit.name_en,
            "kind": unit.kind,
            "parent": unit.parent,
            "areas": list(unit.areas),
            "version_epoch": version[0],
            "version_number": version[1],
        }
        for unit, version in changed
    ]
    new = insert(units).values(rows)
    kept = sa.tuple_(units.c.version_epoch, units.c.version_number)
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["unit_id"],
            set_={name: new.excluded[name] for name in FIELDS},
            where=kept < sa.tuple_(new.excluded.version_epoch, new.excluded.version_number),
        )
    )


async def find(tx: Transaction, unit_id: str) -> Unit | None:
    """Return a unit, or None."""
    row = await tx.one_or_none(sa.select(units).where(units.c.unit_id == unit_id))
    return None if row is None else _unit(row)


async def all_of(tx: Transaction) -> list[Unit]:
    """Return every unit, by id."""
    return [_unit(row) for row in await tx.all(sa.select(units).order_by(units.c.unit_id))]


async def keys(tx: Transaction) -> list[str]:
    """Return the ids of the units kept, as the topic's keys."""
    return [row.unit_id for row in await tx.all(sa.select(units.c.unit_id))]


async def drop(tx: Transaction, ids: Collection[str]) -> None:
    """Forget units."""
    await tx.execute(sa.delete(units).where(units.c.unit_id.in_(ids)))


def _unit(row: sa.Row[Any]) -> Unit:
    return Unit(row.unit_id, row.name_zh, row.name_en, row.kind, row.parent, tuple(row.areas))
