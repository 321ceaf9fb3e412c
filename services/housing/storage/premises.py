"""Premises, their rooms and their operators, written and read."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from chassis.data.encryption import KeyErased, Keyring
from services.housing.domain.premises import Operator, Premises, Room
from services.housing.storage.tables import premises, rooms

# What an operator's values are sealed for: the column, so that one cannot be put in the other's place.
NAME, PHONE = "operator_name", "operator_phone"


async def add(
    tx: Transaction, keyring: Keyring, new: Premises, operator: Operator, *, registered_by: str, registered_unit: str
) -> None:
    """Insert premises with their rooms, and seal the operator's name and phone with the premises' own key."""
    key = await keyring.create(tx, new.premises_id)
    row = {column.name: getattr(new, column.name) for column in premises.columns if hasattr(new, column.name)}
    row |= {NAME: key.seal(operator.name, NAME), PHONE: key.seal(operator.phone, PHONE)}
    row |= {"registered_by": registered_by, "registered_unit": registered_unit}
    await tx.execute(sa.insert(premises).values(row))
    if new.rooms:
        await tx.execute(
            sa.insert(rooms),
            [
                {
                    "premises_id": new.premises_id,
                    "number": room.number,
                    "position": position,
                    "type": room.type,
                    "area_m2": room.area_m2,
                    "capacity": room.capacity,
                }
                for position, room in enumerate(new.rooms)
            ],
        )


async def find(tx: Transaction, premises_id: UUID) -> Premises | None:
    """Return premises with their rooms in the order in which they were entered, or None."""
    row = await tx.one_or_none(sa.select(premises).where(premises.c.premises_id == premises_id))
    if row is None:
        return None
    found = await tx.all(sa.select(rooms).where(rooms.c.premises_id == premises_id).order_by(rooms.c.position))
    return _premises(row, found)


async def firm_name(tx: Transaction, keyring: Keyring, premises_id: UUID) -> str | None:
    """Return the operator's name if it is a firm. A natural person's is not read here: that needs purpose and case;
    and one whose key was erased is nobody's any more."""
    query = sa.select(premises.c.operator_kind, premises.c.operator_name).where(premises.c.premises_id == premises_id)
    row = await tx.one_or_none(query)
    if row is None or row.operator_kind != "firm":
        return None
    try:
        key = await keyring.subject_key(tx, premises_id)
    except KeyErased:
        return None
    return key.open(row.operator_name, NAME)


def _premises(row: sa.Row[Any], found: Sequence[sa.Row[Any]]) -> Premises:
    return Premises(
        premises_id=row.premises_id,
        kind=row.kind,
        status=row.status,
        name=row.name,
        address=row.address,
        division_code=row.division_code,
        latitude=row.latitude,
        longitude=row.longitude,
        one_household=row.one_household,
        operator_unit=row.operator_unit,
        operator_kind=row.operator_kind,
        rooms=tuple(Room(each.number, each.type, each.area_m2, each.capacity) for each in found),
        capacity=row.capacity,
        registered_at=row.registered_at,
        version=row.version,
    )


def within(areas: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that premises lie in one of these areas (prefixes of division codes)."""
    return sa.or_(sa.false(), *(premises.c.division_code.startswith(area, autoescape=True) for area in areas))
