"""Compares events of stays with the live notices: raises an alert, retracts one, or lets it hold again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from policy.packs import Packs
from services.alerts import events
from services.alerts.domain import alerts
from services.alerts.domain.alerts import (
    NOT_NUMBERED,
    Alert,
    AlertState,
    Change,
    Clocks,
    Severity,
    Source,
    Step,
    city_day,
)
from services.alerts.domain.contents import Token
from services.alerts.domain.matching import LiveNotice, Standing, StayEvent, Verdict, decide
from services.alerts.storage import alert_store, change_store, live_notices
from services.alerts.storage.change_store import AlertChange
from services.alerts.watchlist import Watchlist


async def match_stays(
    tx: Transaction, stay_events: Sequence[StayEvent], watchlist: Watchlist, packs: Packs, district: str, at: datetime
) -> None:
    """Judge events in their order; `at` is the database's time under the lock that `WatchlistKeeper.share` took.

    Give it what the watchlist's tokens met and every correction: all other events can change nothing. What matches
    nothing is only read.
    """
    batch = _Batch(tx, watchlist, packs, district, at)
    await batch.load({event.stay_id for event in stay_events})
    for event in stay_events:
        await batch.judge(event)
    batch.record()


class _Batch:
    """One batch's alerts by stay and notice, and the entries for their histories."""

    def __init__(self, tx: Transaction, watchlist: Watchlist, packs: Packs, district: str, at: datetime) -> None:
        self._tx = tx
        self._watchlist = watchlist
        self._packs = packs
        self._district = district
        self._at = at
        self._alerts: dict[UUID, dict[UUID, Alert]] = {}
        self._notice_tokens: dict[UUID, Token] = {}
        self._changes: list[AlertChange] = []

    async def load(self, stay_ids: set[UUID]) -> None:
        """Load and lock the alerts of these stays, with their notices' tokens, ended ones too.

        An alert whose notice has lost its token stays as it is: nobody can tell whether a correction breaks it.
        """
        found = await alert_store.load_of_stays(self._tx, stay_ids)
        self._notice_tokens = await live_notices.tokens(self._tx, {a.notice_id for a in found if a.notice_id})
        for alert in found:
            if alert.notice_id in self._notice_tokens:
                self._keep(alert)

    def _keep(self, alert: Alert) -> None:
        if alert.stay_id is not None and alert.notice_id is not None:
            self._alerts.setdefault(alert.stay_id, {})[alert.notice_id] = alert

    async def judge(self, event: StayEvent) -> None:
        """Judge one event and store what it changes."""
        known = self._alerts.get(event.stay_id, {})
        standings = {notice_id: self._standing(notice_id, alert) for notice_id, alert in known.items()}
        same_value = self._watchlist.by_value.get(event.token.value, ()) if event.token else ()
        decision = decide(event, standings, self._watchlist.by_id, same_value, self._at)
        for notice_id, verdict in decision.verdicts.items():
            await self._apply(known[notice_id], verdict, event)
        for notice in decision.raised:
            await self._raise(notice, event)

    def _standing(self, notice_id: UUID, alert: Alert) -> Standing:
        recorded_at = alert.event_recorded_at or alert.raised_at
        return Standing(self._notice_tokens[notice_id], alert.holds, recorded_at)

    async def _apply(self, alert: Alert, verdict: Verdict, event: StayEvent) -> None:
        step = self._step(alert, verdict, event)
        if step.alert != alert:
            await alert_store.save(self._tx, step.alert)
            self._note(step)

    def _step(self, alert: Alert, verdict: Verdict, event: StayEvent) -> Step:
        match verdict:
            case Verdict.BROKEN:
                return alerts.broken(alert, event.recorded_at)
            case Verdict.HOLDS_AGAIN:
                return alerts.holds_again(alert, event.recorded_at, self._at)
            case Verdict.STILL_HOLDS:
                return alerts.moved(alert, event.premises_id, event.room, event.division_code, event.recorded_at)
            case Verdict.STILL_BROKEN:
                return alerts.still_broken(alert, event.recorded_at)
            case Verdict.OLD:
                return Step(alert)

    async def _raise(self, notice: LiveNotice, event: StayEvent) -> None:
        day = city_day(self._at)
        grading = self._packs.on(day, self._district).severities.of(notice.kind.value)
        clocks = Clocks(
            acknowledge=timedelta(seconds=grading.acknowledge_seconds),
            verify=timedelta(seconds=grading.verify_seconds),
            close=timedelta(seconds=grading.close_seconds),
        )
        alert = Alert(
            alert_id=uuid7(),
            day=day,
            serial=NOT_NUMBERED,
            source=Source.NOTICE,
            notice_id=notice.notice_id,
            rule=None,
            kind=notice.kind.value,
            severity=Severity(grading.severity),
            state=AlertState.NEW,
            due_at=self._at + clocks.acknowledge,
            premises_id=event.premises_id,
            stay_id=event.stay_id,
            room=event.room,
            division_code=event.division_code,
            occurred_at=event.occurred_at,
            raised_at=self._at,
            facts={"event": event.change.value, "stay_kind": event.stay_kind},
            clocks=clocks,
            event_recorded_at=event.recorded_at,
        )
        # A worker that was taken for dead may have been first: then its alert is the one.
        if (stored := await alert_store.insert_new(self._tx, alert)) is not None:
            self._notice_tokens[notice.notice_id] = notice.token
            self._note(Step(stored, Change.RAISED))

    def _note(self, step: Step) -> None:
        """Remember an alert as it now stands, its history's entry, and its event."""
        self._keep(step.alert)
        if step.change is None:
            return
        alert = step.alert
        self._changes.append(
            AlertChange(alert.alert_id, self._at, step.change, step.by, step.detail, None, alert.severity, alert.state)
        )
        emission = events.alert_changed(alert, step.change, self._at)
        if emission is not None:
            self._tx.emit(emission)

    def record(self) -> None:
        """Write the entries with the transaction's commit."""
        change_store.record_changes(self._tx, self._changes)
