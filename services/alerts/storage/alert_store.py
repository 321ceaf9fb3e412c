"""Reads and writes alerts, and numbers them by day."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.data.db import Transaction
from chassis.data.encryption import erase
from chassis.data.prepared import Prepared, Row
from services.alerts.domain.alerts import Alert, AlertState, Clocks, Outcome, Severity, Source
from services.alerts.domain.officers import Officer
from services.alerts.storage import change_store
from services.alerts.storage.tables import alert_changes, alert_numbers, alerts, notices, premises

# `1124-0317`: month, day, serial.
NUMBER = re.compile(r"([0-9]{2})([0-9]{2})-([0-9]{4,9})")

_COLUMNS = [column.name for column in alerts.c]
# One statement numbers an alert and stores it. The day is a parameter of its own, since both tables have one.
_numbered = (
    insert(alert_numbers)
    .values(day=sa.bindparam("its_day", type_=sa.Date), last_serial=1)
    .on_conflict_do_update(index_elements=["day"], set_={"last_serial": alert_numbers.c.last_serial + 1})
    .returning(alert_numbers.c.last_serial)
    .cte("numbered")
)
_INSERT = Prepared(
    insert(alerts)
    .values(serial=sa.select(_numbered.c.last_serial).scalar_subquery())
    .on_conflict_do_nothing(constraint="alerts_one_per_notice_and_stay")
    .returning(alerts.c.serial),
    [name for name in _COLUMNS if name != "serial"],
)
_SAVE = Prepared(
    sa.update(alerts).where(alerts.c.alert_id == sa.bindparam("its_id")),
    [name for name in _COLUMNS if name != "alert_id"],
)
_LOAD_OF_STAYS = Prepared(
    sa.select(alerts)
    .where(alerts.c.stay_id == sa.any_(sa.bindparam("stay_ids", type_=ARRAY(sa.Uuid))))
    .order_by(alerts.c.alert_id)
    .with_for_update()
)
_LOAD_OF_RULES = Prepared(
    sa.select(alerts)
    .where(
        alerts.c.premises_id == sa.any_(sa.bindparam("premises_ids", type_=ARRAY(sa.Uuid))),
        alerts.c.holds,
        alerts.c.rule.is_not(None),
    )
    .order_by(alerts.c.alert_id)
    .with_for_update()
)


async def insert_new(tx: Transaction, alert: Alert) -> Alert | None:
    """Store a new alert; return it with the day's next serial, None when one of its notice and stay is there already.

    Others that raise an alert wait until this transaction ends.
    """
    rows = await tx.fetch(_INSERT, {**_values(alert), "its_day": alert.day})
    return replace(alert, serial=rows[0].serial) if rows else None


async def save(tx: Transaction, alert: Alert) -> None:
    """Store an alert as it now stands."""
    await tx.run(_SAVE, {**_values(alert), "its_id": alert.alert_id})


async def load(tx: Transaction, alert_id: UUID) -> Alert | None:
    """Load one alert."""
    row = await tx.one_or_none(sa.select(alerts).where(alerts.c.alert_id == alert_id))
    return _alert(row) if row is not None else None


async def load_for_change(tx: Transaction, alert_id: UUID) -> Alert | None:
    """Load one alert and lock it against other changes."""
    row = await tx.one_or_none(sa.select(alerts).where(alerts.c.alert_id == alert_id).with_for_update())
    return _alert(row) if row is not None else None


async def load_of_stays(tx: Transaction, stay_ids: Collection[UUID]) -> Sequence[Alert]:
    """Load and lock every alert of these stays, in the order of their ids."""
    return [_alert(row) for row in await tx.fetch(_LOAD_OF_STAYS, {"stay_ids": list(stay_ids)})]


async def load_of_rules(tx: Transaction, premises_ids: Collection[UUID]) -> Sequence[Alert]:
    """Load and lock the alerts whose rule's facts go on at these premises, in the order of their ids."""
    return [_alert(row) for row in await tx.fetch(_LOAD_OF_RULES, {"premises_ids": list(premises_ids)})]


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts a list shows; what is empty does not filter. `division` is a prefix of division codes."""

    states: frozenset[AlertState] = frozenset()
    severities: frozenset[Severity] = frozenset()
    kinds: frozenset[str] = frozenset()
    division: str = ""
    owner: str = ""
    # Those for which nobody answers.
    unclaimed: bool = False
    # A number such as `1124-0317`, or part of an address: never a person.
    text: str = ""


async def list_page(
    tx: Transaction, wanted: AlertFilter, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Alert]:
    """Return alerts, newest first, those after `before` in that order."""
    query = sa.select(alerts).where(*_conditions(wanted))
    if before is not None:
        query = query.where(sa.tuple_(alerts.c.raised_at, alerts.c.alert_id) < sa.tuple_(*before))
    query = query.order_by(alerts.c.raised_at.desc(), alerts.c.alert_id.desc()).limit(limit)
    return [_alert(row) for row in await tx.all(query)]


async def list_urgent(
    tx: Transaction, wanted: AlertFilter, *, limit: int, start: int = 0, by_clock: bool = False
) -> Sequence[Alert]:
    """Return alerts as the board shows them: open ones first, worst severity first, then the shortest clock.

    `start`: how many of them to leave out first; `by_clock`: the shortest clock first, whatever the severity.
    """
    rank = sa.case({each.value: place for place, each in enumerate(Severity)}, value=alerts.c.severity)
    order = (alerts.c.due_at, rank) if by_clock else (rank, alerts.c.due_at)
    query = (
        sa.select(alerts)
        .where(*_conditions(wanted))
        .order_by(alerts.c.due_at.is_(None), *order, alerts.c.raised_at.desc(), alerts.c.alert_id)
        .offset(start)
        .limit(limit)
    )
    return [_alert(row) for row in await tx.all(query)]


async def count_found(tx: Transaction, wanted: AlertFilter) -> int:
    """Return how many alerts a filter finds."""
    number: int = await tx.scalar(sa.select(sa.func.count()).select_from(alerts).where(*_conditions(wanted)))
    return number


def _conditions(wanted: AlertFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.states:
        found.append(alerts.c.state.in_(sorted(wanted.states)))
    if wanted.severities:
        found.append(alerts.c.severity.in_(sorted(wanted.severities)))
    if wanted.kinds:
        found.append(alerts.c.kind.in_(sorted(wanted.kinds)))
    if wanted.division:
        found.append(alerts.c.division_code.startswith(wanted.division, autoescape=True))
    if wanted.owner:
        found.append(alerts.c.owner == wanted.owner)
    if wanted.unclaimed:
        found.append(alerts.c.owner.is_(None))
    if wanted.text:
        found.append(_says(wanted.text))
    return found


def _says(text: str) -> sa.ColumnElement[bool]:
    """Whether an alert has this number, or lies at an address with this text in it."""
    at = sa.select(premises.c.premises_id).where(premises.c.address.icontains(text, autoescape=True))
    numbered = NUMBER.fullmatch(text)
    if numbered is None:
        return alerts.c.premises_id.in_(at)
    month, day, serial = map(int, numbered.groups())
    return (
        (sa.extract("month", alerts.c.day) == month)
        & (sa.extract("day", alerts.c.day) == day)
        & (alerts.c.serial == serial)
    )


def _values(alert: Alert) -> dict[str, Any]:
    clocks = alert.clocks
    return {
        "alert_id": alert.alert_id,
        "day": alert.day,
        "serial": alert.serial,
        "source": alert.source.value,
        "notice_id": alert.notice_id,
        "rule": alert.rule,
        "kind": alert.kind,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "due_at": alert.due_at,
        "premises_id": alert.premises_id,
        "stay_id": alert.stay_id,
        "room": alert.room,
        "division_code": alert.division_code,
        "occurred_at": alert.occurred_at,
        "raised_at": alert.raised_at,
        "facts": alert.facts,
        "acknowledge_seconds": int(clocks.acknowledge.total_seconds()),
        "verify_seconds": int(clocks.verify.total_seconds()),
        "close_seconds": int(clocks.close.total_seconds()),
        "owner": alert.owner.subject if alert.owner else None,
        "owner_name": alert.owner.name if alert.owner else None,
        "owner_unit": alert.owner.unit if alert.owner else None,
        "escalation_level": alert.escalation_level,
        "settled_by": alert.settled_by,
        "finding": alert.finding,
        "outcome": alert.outcome.value if alert.outcome else None,
        "holds": alert.holds,
        "event_recorded_at": alert.event_recorded_at,
    }


def _alert(row: sa.Row[Any] | Row) -> Alert:
    return Alert(
        alert_id=row.alert_id,
        day=row.day,
        serial=row.serial,
        source=Source(row.source),
        notice_id=row.notice_id,
        rule=row.rule,
        kind=row.kind,
        severity=Severity(row.severity),
        state=AlertState(row.state),
        due_at=row.due_at,
        premises_id=row.premises_id,
        stay_id=row.stay_id,
        room=row.room,
        division_code=row.division_code,
        occurred_at=row.occurred_at,
        raised_at=row.raised_at,
        facts=row.facts,
        clocks=Clocks(
            timedelta(seconds=row.acknowledge_seconds),
            timedelta(seconds=row.verify_seconds),
            timedelta(seconds=row.close_seconds),
        ),
        owner=Officer(row.owner, row.owner_name, row.owner_unit) if row.owner is not None else None,
        escalation_level=row.escalation_level,
        settled_by=row.settled_by,
        finding=row.finding,
        outcome=Outcome(row.outcome) if row.outcome is not None else None,
        holds=row.holds,
        event_recorded_at=row.event_recorded_at,
    )


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete alerts that were closed, cleared or retracted at `cut_off` or before, with all that hangs on them.

    Two kinds stay, so that nothing is raised twice: of a notice that is not ended, and of a rule whose facts go on.
    """
    settled = ("closed", "cleared", "retracted")
    later = sa.exists().where(
        alert_changes.c.alert_id == alerts.c.alert_id,
        alert_changes.c.change.in_(settled),
        alert_changes.c.at > cut_off,
    )
    live = sa.exists().where(notices.c.notice_id == alerts.c.notice_id, notices.c.state != "ended")
    goes_on = sa.and_(alerts.c.rule.is_not(None), alerts.c.holds)
    old = sa.select(alerts.c.alert_id).where(
        alerts.c.raised_at <= cut_off, alerts.c.state.in_(settled), ~later, ~live, ~goes_on
    )
    rows = await tx.all(old.order_by(alerts.c.raised_at).limit(limit).with_for_update(skip_locked=True, of=alerts))
    ids = [row.alert_id for row in rows]
    await change_store.drop(tx, ids)
    # The department's events of a case go with it (ON DELETE CASCADE).
    await tx.execute(sa.delete(alerts).where(alerts.c.alert_id.in_(ids)))
    await erase(tx, ids)
    return len(ids)
