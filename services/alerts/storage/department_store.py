"""Keeps departments' events in an order of their own, for those who read them over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.alerts.domain.cases import CaseState
from services.alerts.storage.department_tables import department_events, department_heads

CHANNEL = "department_events"


@dataclass(frozen=True, slots=True)
class DepartmentEvent:
    """An event as its topic has it, and where it stands among the department's events."""

    position: int
    event_id: UUID
    type: str
    value: Mapping[str, Any]


async def last_of_case(tx: Transaction, case_id: UUID) -> Mapping[str, Any] | None:
    """Return the value of a case's last event. Whoever asks holds the lock on the case's alert."""
    query = sa.select(department_events.c.value).where(department_events.c.case_id == case_id)
    row = await tx.one_or_none(query.order_by(department_events.c.position.desc()).limit(1))
    return row.value if row is not None else None


def record(
    tx: Transaction,
    department: str,
    *,
    event_id: UUID,
    type_: str,
    case_id: UUID,
    at: datetime,
    value: Mapping[str, Any],
) -> None:
    """Write an event with this transaction, numbered just before its commit under a lock that is held to it.

    So positions appear in their order: who has read up to one has missed none before it.
    """

    async def append(tx: Transaction) -> None:
        moved = sa.update(department_heads).where(department_heads.c.department == department)
        moved = moved.values(position=department_heads.c.position + 1)
        position = (await tx.execute(moved.returning(department_heads.c.position))).scalar_one()
        row = {"department": department, "position": position, "event_id": event_id, "type": type_}
        await tx.execute(sa.insert(department_events).values({**row, "case_id": case_id, "at": at, "value": value}))
        await tx.notify(CHANNEL)

    tx.before_commit(append)


async def position(tx: Transaction, department: str) -> int:
    """Return the position of the last event that this transaction sees; 0 of a department that was told nothing."""
    query = sa.select(department_heads.c.position).where(department_heads.c.department == department)
    head: int | None = await tx.scalar(query)
    return head or 0


async def events_after(tx: Transaction, department: str, position: int, limit: int) -> Sequence[DepartmentEvent]:
    """Return the events behind a position, in order."""
    events = department_events.c
    query = sa.select(events.position, events.event_id, events.type, events.value).where(
        events.department == department, events.position > position
    )
    rows = await tx.all(query.order_by(events.position).limit(limit))
    return [DepartmentEvent(row.position, row.event_id, row.type, row.value) for row in rows]


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete events that were told at `cut_off` or before, as their topic does; the last one of an open case stays."""
    events = department_events.c
    later = department_events.alias("later")
    followed = sa.exists().where(later.c.case_id == events.case_id, later.c.position > events.position)
    open_still = sa.and_(events.value["state"].astext == CaseState.OPEN.value, ~followed)
    key = sa.tuple_(events.department, events.position)
    old = sa.select(events.department, events.position).where(events.at <= cut_off, ~open_still)
    old = old.order_by(events.at).limit(limit).with_for_update(skip_locked=True, of=department_events)
    return (await tx.execute(sa.delete(department_events).where(key.in_(old)))).rowcount
