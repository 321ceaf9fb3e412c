"""Reads and writes the changes of alerts: each alert's history, and one numbered stream of them all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import NoResultFound

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared
from services.alerts.domain.alerts import AlertState, Change, Severity
from services.alerts.domain.officers import Officer
from services.alerts.storage.tables import alert_changes, stream_head

CHANNEL = "alert_changes"

# Moves the head, writes the entries behind it and tells, in one statement: whoever waits for the head waits for less.
_APPEND = Prepared(
    sa.text("""
        WITH moved AS (
            UPDATE stream_head SET position = position + CAST(:count AS bigint)
            RETURNING position - CAST(:count AS bigint) AS before
        )
        INSERT INTO alert_changes (
            position, alert_id, at, change, by, by_name, by_unit, detail, reason, severity, state
        )
        SELECT moved.before + c.place, c.alert_id, c.at, c.change, c.by, c.by_name, c.by_unit, c.detail, c.reason,
            c.severity, c.state
        FROM moved, pg_notify(:channel, ''), unnest(
            CAST(:alert_id AS uuid[]), CAST(:at AS timestamptz[]), CAST(:change AS text[]), CAST(:by AS text[]),
            CAST(:by_name AS text[]), CAST(:by_unit AS text[]), CAST(:detail AS text[]), CAST(:reason AS bytea[]),
            CAST(:severity AS text[]), CAST(:state AS text[])
        ) WITH ORDINALITY
            AS c (alert_id, at, change, by, by_name, by_unit, detail, reason, severity, state, place)
        ORDER BY c.place
    """)
)
_HEAD = Prepared(sa.select(stream_head.c.position))
_AFTER = Prepared(
    sa.select(
        alert_changes.c.position,
        alert_changes.c.alert_id,
        alert_changes.c.change,
        alert_changes.c.severity,
        alert_changes.c.state,
        alert_changes.c.numbered_at,
    )
    .where(alert_changes.c.position > sa.bindparam("seen"))
    .order_by(alert_changes.c.position)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An entry of an alert's history. `reason` is sealed with the alert's key."""

    alert_id: UUID
    at: datetime
    change: Change
    by: Officer
    detail: str | None
    reason: bytes | None
    severity: Severity
    state: AlertState


@dataclass(frozen=True, slots=True)
class StreamedChange:
    """What the live stream tells of a change: where it stands, and no person."""

    position: int
    alert_id: UUID
    change: Change
    severity: Severity
    state: AlertState
    numbered_at: datetime


async def last_change_to(tx: Transaction, state: AlertState) -> datetime | None:
    """Return when an alert last left `state`, as far as its history tells: since when none waits."""
    query = sa.select(sa.func.max(alert_changes.c.at)).where(alert_changes.c.state != state.value)
    found: datetime | None = await tx.scalar(query)
    return found


def record_changes(tx: Transaction, changes: Sequence[AlertChange]) -> None:
    """Write history entries with this transaction, numbered for the stream just before its commit.

    The head's lock is taken last and held to the commit, so positions appear in their order: who has read up to one
    has missed none before it. The NOTIFY is under that lock, so it makes nobody wait who does not wait anyway.
    """

    async def append(tx: Transaction) -> None:
        rows = [_change_values(change) for change in changes]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        if await tx.run(_APPEND, {"count": len(rows), "channel": CHANNEL, **columns}) != len(rows):
            raise NoResultFound

    if changes:
        tx.before_commit(append)


async def history(tx: Transaction, alert_id: UUID) -> Sequence[AlertChange]:
    """Return an alert's history, oldest first."""
    query = sa.select(alert_changes).where(alert_changes.c.alert_id == alert_id).order_by(alert_changes.c.position)
    return [
        AlertChange(
            row.alert_id,
            row.at,
            Change(row.change),
            Officer(row.by, row.by_name, row.by_unit),
            row.detail,
            row.reason,
            Severity(row.severity),
            AlertState(row.state),
        )
        for row in await tx.all(query)
    ]


async def stream_position(tx: Transaction) -> int:
    """Return the position of the last change that this transaction sees."""
    position: int = (await tx.fetch_one(_HEAD)).position
    return position


async def changes_after(tx: Transaction, position: int, limit: int) -> Sequence[StreamedChange]:
    """Return the changes behind a position, in order."""
    return [
        StreamedChange(
            row.position,
            row.alert_id,
            Change(row.change),
            Severity(row.severity),
            AlertState(row.state),
            row.numbered_at,
        )
        for row in await tx.fetch(_AFTER, {"seen": position, "most": limit})
    ]


def _change_values(change: AlertChange) -> dict[str, Any]:
    return {
        "alert_id": change.alert_id,
        "at": change.at,
        "change": change.change.value,
        "by": change.by.subject,
        "by_name": change.by.name,
        "by_unit": change.by.unit,
        "detail": change.detail,
        "reason": change.reason,
        "severity": change.severity.value,
        "state": change.state.value,
    }


async def forgotten_position(tx: Transaction) -> int:
    """Return the position up to which changes may be missing."""
    position: int = (await tx.execute(sa.select(stream_head.c.forgotten))).scalar_one()
    return position


async def drop(tx: Transaction, alert_ids: Collection[UUID]) -> None:
    """Delete the changes of alerts; who comes back from before one of them is told to begin anew."""
    gone = sa.delete(alert_changes).where(alert_changes.c.alert_id.in_(alert_ids)).returning(alert_changes.c.position)
    last = max((row.position for row in await tx.all(gone)), default=0)

    async def remember(tx: Transaction) -> None:
        forgotten = sa.func.greatest(stream_head.c.forgotten, last)
        await tx.execute(sa.update(stream_head).values(forgotten=forgotten))

    # Last, as every lock on the head.
    if last:
        tx.before_commit(remember)
