"""Lists of stays: of a room, of premises, of a person, of a desk's day; erased persons are left out."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.registration.domain.access import Actor
from services.registration.domain.stays import StayAt
from services.registration.storage.premises import visible_to
from services.registration.storage.stays import found, query
from services.registration.storage.tables import OPEN, premises, stays
from services.registration.vault import Vault


async def open_of_people(tx: Transaction, actor: Actor, people: Collection[UUID], limit: int) -> list[UUID]:
    """Return the ids of the open stays of these persons that the actor may see."""
    return await _open_ids(tx, actor, stays.c.person_id.in_(people), limit) if people else []


async def open_of_room(tx: Transaction, actor: Actor, premises_id: UUID, room: str, limit: int) -> list[UUID]:
    """Return the ids of the open stays of a room, if the actor may see them."""
    return await _open_ids(tx, actor, sa.and_(stays.c.premises_id == premises_id, stays.c.room == room), limit)


async def still_open(tx: Transaction, vault: Vault, stay_ids: Collection[UUID]) -> list[StayAt]:
    """Return those of the stays that are open."""
    return await _opened(tx, vault, query().where(stays.c.stay_id.in_(stay_ids), OPEN).order_by(stays.c.stay_id))


async def occupants(
    tx: Transaction, vault: Vault, premises_id: UUID, *, room: str = "", after: UUID | None, limit: int
) -> list[StayAt]:
    """Return the open stays at premises, or in one of their rooms, in the order of registering."""
    page = query().where(*_living(premises_id, room)).order_by(stays.c.stay_id).limit(limit)
    return await _opened(tx, vault, page if after is None else page.where(stays.c.stay_id > after))


async def registered_by_unit(tx: Transaction, vault: Vault, unit: str, since: datetime, limit: int) -> list[StayAt]:
    """Return what a unit's desk registered since a moment, newest first."""
    day = query().where(*_by_unit(unit, since)).order_by(stays.c.registered_at.desc()).limit(limit)
    return await _opened(tx, vault, day)


async def count_registered_by_unit(tx: Transaction, unit: str, since: datetime) -> int:
    """Return how many a unit's desk registered since a moment."""
    count: int = await tx.scalar(sa.select(sa.func.count()).select_from(stays).where(*_by_unit(unit, since)))
    return count


async def count_occupants(tx: Transaction, premises_id: UUID, room: str = "") -> int:
    """Return how many open stays there are at premises, or in one of their rooms."""
    living = sa.select(sa.func.count()).select_from(stays).where(*_living(premises_id, room))
    count: int = await tx.scalar(living)
    return count


def _living(premises_id: UUID, room: str) -> tuple[sa.ColumnElement[bool], ...]:
    at_premises = (stays.c.premises_id == premises_id, OPEN)
    return (*at_premises, stays.c.room == room) if room else at_premises


def _by_unit(unit: str, since: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return stays.c.registered_unit == unit, stays.c.registered_at >= since


async def _open_ids(tx: Transaction, actor: Actor, which: sa.ColumnElement[bool], limit: int) -> list[UUID]:
    beside = stays.outerjoin(premises, premises.c.premises_id == stays.c.premises_id)
    seen = visible_to(actor, stays.c.division_code, premises.c.operator_unit)
    ids = sa.select(stays.c.stay_id).select_from(beside).where(OPEN, which, seen).order_by(stays.c.stay_id).limit(limit)
    return [row.stay_id for row in await tx.all(ids)]


async def _opened(tx: Transaction, vault: Vault, select: sa.Select[tuple[object, ...]]) -> list[StayAt]:
    rows = await tx.all(select)
    keys = await vault.keyring.subject_keys(tx, {row.person_id for row in rows}) if rows else {}
    opened = [found(row, keys[row.person_id]) for row in rows if row.person_id in keys]
    return [StayAt(one.stay, one.address) for one in opened]
