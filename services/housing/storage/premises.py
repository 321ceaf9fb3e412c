"""Premises, their rooms and their operators, written and read."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from chassis.data.encryption import KeyErased, Keyring, erase
from services.housing.domain.hazards import Hazard
from services.housing.domain.letters import Letter
from services.housing.domain.premises import Operator, Premises, Room
from services.housing.storage import hazards, letters
from services.housing.storage.tables import closures, premises, rooms

# What an operator's values are sealed for: the column, so that one cannot be put in the other's place.
NAME, PHONE = "operator_name", "operator_phone"


async def add(
    tx: Transaction, keyring: Keyring, new: Premises, operator: Operator, *, registered_by: str, registered_unit: str
) -> None:
    """Insert premises with their rooms, and seal the operator's name and phone with the premises' own key."""
    row = _row(new) | await _entered(tx, keyring, new, operator, registered_by, registered_unit)
    await tx.execute(sa.insert(premises).values(row))
    await _add_rooms(tx, new)


async def add_stub(tx: Transaction, new: Premises) -> bool:
    """Insert a stub; tell whether it was new."""
    made = await tx.execute(insert(premises).values(_row(new)).on_conflict_do_nothing(index_elements=["premises_id"]))
    return made.rowcount == 1


async def complete(
    tx: Transaction, keyring: Keyring, whole: Premises, operator: Operator, *, registered_by: str, registered_unit: str
) -> None:
    """Fill in what a stub lacked."""
    row = _row(whole) | await _entered(tx, keyring, whole, operator, registered_by, registered_unit)
    await tx.execute(sa.update(premises).where(premises.c.premises_id == whole.premises_id).values(row))
    await _add_rooms(tx, whole)


async def change(tx: Transaction, changed: Premises) -> None:
    """Write the status and the version of premises that were found for change."""
    values = {"status": changed.status, "version": changed.version}
    await tx.execute(sa.update(premises).where(premises.c.premises_id == changed.premises_id).values(values))


async def find(tx: Transaction, premises_id: UUID, *, for_change: bool = False) -> Premises | None:
    """Return premises with rooms (as entered), open hazards and letter, or None.

    `for_change` holds the premises until the transaction ends: changes of one premises come one after the other.
    """
    query = sa.select(premises).where(premises.c.premises_id == premises_id)
    row = await tx.one_or_none(query.with_for_update() if for_change else query)
    if row is None:
        return None
    found = await tx.all(sa.select(rooms).where(rooms.c.premises_id == premises_id).order_by(rooms.c.position))
    return _premises(row, found, await hazards.open_of(tx, premises_id), await letters.latest(tx, premises_id))


async def published(tx: Transaction) -> list[UUID]:
    """Return the ids of all premises, stubs too: each was published."""
    return [row.premises_id for row in await tx.all(sa.select(premises.c.premises_id))]


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


def _row(known: Premises) -> dict[str, Any]:
    return {column.name: getattr(known, column.name) for column in premises.columns if hasattr(known, column.name)}


async def _entered(
    tx: Transaction, keyring: Keyring, known: Premises, operator: Operator, registered_by: str, registered_unit: str
) -> dict[str, Any]:
    key = await keyring.create(tx, known.premises_id)
    return {
        NAME: key.seal(operator.name, NAME),
        PHONE: key.seal(operator.phone, PHONE),
        "registered_by": registered_by,
        "registered_unit": registered_unit,
    }


async def _add_rooms(tx: Transaction, known: Premises) -> None:
    if known.rooms:
        await tx.execute(
            sa.insert(rooms),
            [
                {
                    "premises_id": known.premises_id,
                    "number": room.number,
                    "position": position,
                    "type": room.type,
                    "area_m2": room.area_m2,
                    "capacity": room.capacity,
                }
                for position, room in enumerate(known.rooms)
            ],
        )


def _premises(
    row: sa.Row[Any], found: Sequence[sa.Row[Any]], open_hazards: tuple[Hazard, ...], letter: Letter | None
) -> Premises:
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
        open_hazards=open_hazards,
        letter=letter,
    )


def within(areas: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that premises lie in one of these areas (prefixes of division codes)."""
    return sa.or_(sa.false(), *(premises.c.division_code.startswith(area, autoescape=True) for area in areas))


async def forget_operators(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Erase who ran premises that were closed at `cut_off` or before and are closed still: name, phone, key, letters.

    The premises stay: a place is nobody's data, and figures count it.
    """
    run_by_somebody = premises.c.operator_name.is_not(None)
    shut = sa.exists().where(
        closures.c.premises_id == premises.c.premises_id,
        closures.c.reopened_at.is_(None),
        closures.c.closed_at <= cut_off,
    )
    old = sa.select(premises.c.premises_id).where(premises.c.status == "closed", run_by_somebody, shut)
    rows = await tx.all(old.limit(limit).with_for_update(skip_locked=True))
    ids = [row.premises_id for row in rows]
    nobody = dict.fromkeys(("operator_kind", NAME, PHONE, "registered_by"))
    await tx.execute(sa.update(premises).where(premises.c.premises_id.in_(ids)).values(nobody))
    await letters.drop(tx, ids)
    await erase(tx, ids)
    return len(ids)
