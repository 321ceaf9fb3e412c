"""What the board and the desk read: lists, counts, one alert with its history. No person is in any of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import KeyErased, Keyring
from policy.packs import Packs, Rules
from services.alerts.domain.alerts import Alert, AlertState, city_day
from services.alerts.domain.notices import Notice, NoticeState, Term
from services.alerts.storage import (
    alert_counts,
    alert_store,
    change_store,
    department_store,
    dwelling_store,
    neighbour_store,
    notice_store,
    premises_store,
    unit_store,
)
from services.alerts.storage.alert_counts import STREET_DIGITS, Counts
from services.alerts.storage.alert_store import AlertFilter
from services.alerts.storage.change_store import AlertChange, StreamedChange
from services.alerts.storage.department_store import DepartmentEvent
from services.alerts.storage.dwelling_store import PremisesState
from services.alerts.storage.neighbour_store import Box, Neighbour
from services.alerts.storage.notice_looks import NoticeLook, looks
from services.alerts.storage.notice_store import NoticeFilter, NoticeRow
from services.alerts.storage.premises_store import Place
from services.alerts.storage.unit_store import Unit
from services.alerts.use_cases import apply_step
from services.alerts.use_cases.apply_step import UnknownAlert
from services.alerts.use_cases.change_notice import UnknownNotice

__all__ = [
    "STREET_DIGITS",
    "AlertFilter",
    "Box",
    "Counts",
    "DepartmentEvent",
    "Neighbour",
    "NoticeFilter",
    "NoticeLook",
    "NoticeRow",
    "Place",
    "PremisesState",
    "StreamedChange",
    "Unit",
]

# A day's starts and ends fall on midnight together: so many are taken before the timer rests.
DUE_AT_ONCE = 500
# More than an honest notice gathers; the audit holds all of them.
LOOKS = 50


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A page of alerts, the place of each where it is known, and where in the stream the page stands.

    `found`: how many alerts the filter finds in all, where the page does not hold them all.
    """

    alerts: Sequence[Alert]
    places: dict[UUID, Place]
    stream_position: int
    found: int | None = None


async def list_alerts(
    tx: Transaction, wanted: AlertFilter, *, before: tuple[datetime, UUID] | None, limit: int
) -> AlertPage:
    """Return alerts, newest first; within one snapshot, so that the stream goes on exactly where the list ends."""
    found = await alert_store.list_page(tx, wanted, before=before, limit=limit)
    return await _page(tx, found)


async def list_board(tx: Transaction, wanted: AlertFilter, *, start: int, limit: int) -> AlertPage:
    """Return alerts in the order of the board: worst severity first, then the shortest clock."""
    page = await _page(tx, await alert_store.list_urgent(tx, wanted, start=start, limit=limit))
    if not start and len(page.alerts) < limit:
        return page
    return replace(page, found=await alert_store.count_found(tx, wanted))


async def _page(tx: Transaction, found: Sequence[Alert]) -> AlertPage:
    return AlertPage(found, await places_of(tx, found), await change_store.stream_position(tx))


async def places_by_id(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Place]:
    """Return the places of these premises, where they are known."""
    return await premises_store.places(tx, ids)


async def places_of(tx: Transaction, found: Sequence[Alert]) -> dict[UUID, Place]:
    """Return the places of these alerts, where they are known."""
    return await places_by_id(tx, {alert.premises_id for alert in found})


async def count_alerts(tx: Transaction) -> Counts:
    """Return the counts beside the board's facets."""
    return await alert_counts.count(tx)


async def quiet_since(tx: Transaction) -> datetime | None:
    """Return since when no alert waits; None when none ever did."""
    return await change_store.last_change_to(tx, AlertState.NEW)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry of an alert's history, its reason readable; None where its key was erased or there was none."""

    change: AlertChange
    reason: str | None


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert with what an officer works by. `term` is the notice's running term; `premises` as housing has them."""

    alert: Alert
    place: Place | None
    premises: PremisesState | None
    term: Term | None
    notice_state: NoticeState | None
    steps: Sequence[str]
    history: Sequence[HistoryEntry]
    stream_position: int


async def read_alert(
    tx: Transaction, alert_id: UUID, *, keyring: Keyring, packs: Packs, district: str, language: Literal["zh", "en"]
) -> AlertView:
    """Return one alert. Raises UnknownAlert."""
    alert = await alert_store.load(tx, alert_id)
    if alert is None:
        raise UnknownAlert(alert_id)
    row = await notice_store.load(tx, alert.notice_id) if alert.notice_id else None
    places = await premises_store.places(tx, [alert.premises_id])
    dwelling = await dwelling_store.load(tx, alert.premises_id)
    rules = packs.on(city_day(alert.raised_at), district)
    return AlertView(
        alert=alert,
        place=places.get(alert.premises_id),
        premises=dwelling.premises if dwelling else None,
        term=row.notice.running if row else None,
        notice_state=row.notice.state if row else None,
        steps=_steps(rules, alert, language),
        history=await _history(tx, alert_id, keyring),
        stream_position=await change_store.stream_position(tx),
    )


async def neighbours_of(tx: Transaction, premises_id: UUID, box: Box) -> Sequence[Neighbour]:
    """Return the other premises in a box, those with open alerts first."""
    return await neighbour_store.within(tx, box, but=premises_id)


def _steps(rules: Rules, alert: Alert, language: Literal["zh", "en"]) -> Sequence[str]:
    if alert.rule is None:
        return rules.notices.steps(alert.kind, language)
    condition = rules.conditions.by_rule.get(alert.rule)
    # An old alert outlives its rule.
    return condition.steps(language) if condition else ()


async def _history(tx: Transaction, alert_id: UUID, keyring: Keyring) -> Sequence[HistoryEntry]:
    changes = await change_store.history(tx, alert_id)
    if all(change.reason is None for change in changes):
        return [HistoryEntry(change, None) for change in changes]
    key = (await keyring.subject_keys(tx, [alert_id])).get(alert_id)
    return [
        HistoryEntry(change, key.open(change.reason, apply_step.REASON) if key and change.reason else None)
        for change in changes
    ]


@dataclass(frozen=True, slots=True)
class NoticeEntry:
    """An entry of a notice's history, its reason readable."""

    at: datetime
    change: str
    by: str
    by_name: str
    by_unit: str
    reason: str | None


async def list_notices(
    tx: Transaction, wanted: NoticeFilter, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[NoticeRow]:
    """Return notices, newest proposal first."""
    return await notice_store.list_page(tx, wanted, before=before, limit=limit)


async def read_notice(tx: Transaction, notice_id: UUID) -> NoticeRow:
    """Return one notice, its subject sealed. Raises UnknownNotice."""
    row = await notice_store.load(tx, notice_id)
    if row is None:
        raise UnknownNotice(notice_id)
    return row


async def due_notices(tx: Transaction) -> Sequence[UUID]:
    """Return the notices whose row does not say yet what the clock has made of them."""
    return await notice_store.due(tx, await tx.database_time(), DUE_AT_ONCE)


async def count_notices(tx: Transaction, wanted: NoticeFilter) -> int:
    """Return how many notices a filter shows."""
    return await notice_store.count(tx, wanted)


async def notice_history(tx: Transaction, notice: Notice, keyring: Keyring) -> Sequence[NoticeEntry]:
    """Return a notice's history, oldest first."""
    changes = await notice_store.history(tx, notice.notice_id)
    try:
        key = await keyring.subject_key(tx, notice.notice_id)
    except KeyErased:
        key = None
    return [
        NoticeEntry(
            change.at,
            change.change,
            change.by.subject,
            change.by.name,
            change.by.unit,
            key.open(change.reason, "reason") if key and change.reason else None,
        )
        for change in changes
    ]


async def notice_looks(tx: Transaction, notice_id: UUID) -> Sequence[NoticeLook]:
    """Return refused approvals of a notice and who looked whom it names, the latest, oldest first."""
    return await looks(tx, notice_id, LOOKS)


async def all_units(tx: Transaction) -> dict[str, Unit]:
    """Return the units of the organisation."""
    return await unit_store.all_units(tx)


async def stream_position(tx: Transaction) -> int:
    """Return the stream's present end."""
    return await change_store.stream_position(tx)


async def forgotten_position(tx: Transaction) -> int:
    """Return the position up to which the stream may have lost changes."""
    return await change_store.forgotten_position(tx)


async def changes_after(tx: Transaction, position: int, limit: int) -> Sequence[StreamedChange]:
    """Return changes behind a position of the stream, in order."""
    return await change_store.changes_after(tx, position, limit)


async def department_position(tx: Transaction, department: str) -> int:
    """Return the position of a department's last event."""
    return await department_store.position(tx, department)


async def department_events_after(
    tx: Transaction, department: str, position: int, limit: int
) -> Sequence[DepartmentEvent]:
    """Return a department's events behind a position, in order."""
    return await department_store.events_after(tx, department, position, limit)


async def known_places(tx: Transaction) -> Sequence[str]:
    """Return the keys of all premises."""
    return await premises_store.keys(tx)


async def known_headcounts(tx: Transaction) -> Sequence[str]:
    """Return the keys of all premises whose headcount is known."""
    return await dwelling_store.keys_with_headcount(tx)


async def known_units(tx: Transaction) -> Sequence[str]:
    """Return the ids of all units."""
    return await unit_store.keys(tx)
