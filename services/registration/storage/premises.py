"""Premises as housing published them, and who may see which."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from chassis.data.prepared import Row
from services.registration.domain.access import AREA_ROLES, OPERATOR, Actor
from services.registration.domain.premises import Premises, Room
from services.registration.storage.tables import OPEN, occupancy, premises, stays

Version = tuple[int, int]
# A stub entered here is older than whatever housing says about it.
OWN: Version = (0, 0)
# For likeness the database reads these two signs as wildcards; in an address they mean themselves.
LIKE_SIGNS = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


def premises_of(row: sa.Row[Any] | Row) -> Premises:
    """Return the premises in a row that has their columns."""
    return Premises(
        premises_id=row.premises_id,
        kind=row.kind,
        status=row.status,
        address=row.address,
        division_code=row.division_code,
        operator_unit=row.operator_unit,
        rooms=tuple(Room(room["number"], room["type"], room["capacity"]) for room in row.rooms),
    )


def visible_to(
    actor: Actor, division_code: sa.ColumnElement[str], operator_unit: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Return `may_act_at` as a condition over columns."""
    if actor.role in AREA_ROLES:
        return sa.or_(sa.false(), *(division_code.startswith(area, autoescape=True) for area in actor.areas))
    return operator_unit == actor.unit if actor.role == OPERATOR else sa.false()


async def apply(tx: Transaction, arrived: Sequence[tuple[Premises, Version]]) -> None:
    """Keep each premises whose version is newer than what is here."""
    for one, (epoch, number) in arrived:
        values = {
            "premises_id": one.premises_id,
            "kind": one.kind,
            "status": one.status,
            "address": one.address,
            "division_code": one.division_code,
            "operator_unit": one.operator_unit,
            "rooms": [{"number": room.number, "type": room.type, "capacity": room.capacity} for room in one.rooms],
            "version_epoch": epoch,
            "version_number": number,
        }
        here = sa.tuple_(premises.c.version_epoch, premises.c.version_number)
        await tx.execute(
            insert(premises)
            .values(values)
            .on_conflict_do_update(index_elements=["premises_id"], set_=values, where=here < sa.tuple_(epoch, number))
        )
    if arrived:
        rows = [{"premises_id": one.premises_id, "headcount": 0, "version": 0} for one, _version in arrived]
        await tx.execute(insert(occupancy).values(rows).on_conflict_do_nothing())


async def keys(tx: Transaction) -> set[str]:
    """Return the ids of all premises that housing published; a stub it has not answered yet is not missing there."""
    published = sa.select(premises.c.premises_id).where(premises.c.version_epoch > OWN[0])
    return {str(row.premises_id) for row in await tx.all(published)}


async def drop(tx: Transaction, gone: Collection[str]) -> None:
    """Forget premises; their stays remain."""
    await tx.execute(sa.delete(premises).where(premises.c.premises_id.in_([UUID(key) for key in gone])))


async def get(tx: Transaction, premises_id: UUID) -> Premises | None:
    """Return one premises."""
    row = await tx.one_or_none(sa.select(premises).where(premises.c.premises_id == premises_id))
    return premises_of(row) if row is not None else None


async def search(tx: Transaction, actor: Actor, address: str, *, after: UUID | None, limit: int) -> list[Premises]:
    """Return premises whose address contains `address` and that the actor may act at, by address."""
    order = (premises.c.address, premises.c.premises_id)
    query = (
        sa.select(premises)
        .where(visible_to(actor, premises.c.division_code, premises.c.operator_unit))
        .where(premises.c.address.ilike(f"%{address.translate(LIKE_SIGNS)}%", escape="\\"))
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        place = sa.select(premises.c.address, premises.c.premises_id).where(premises.c.premises_id == after)
        query = query.where(sa.tuple_(*order) > place.scalar_subquery())
    return [premises_of(row) for row in await tx.all(query)]


async def living_in_rooms(tx: Transaction, premises_ids: Collection[UUID]) -> dict[tuple[UUID, str], int]:
    """Return how many people are registered in each room now."""
    rows = await tx.all(
        sa.select(stays.c.premises_id, stays.c.room, sa.func.count().label("people"))
        .where(stays.c.premises_id.in_(premises_ids), OPEN)
        .group_by(stays.c.premises_id, stays.c.room)
    )
    return {(row.premises_id, row.room): row.people for row in rows}
