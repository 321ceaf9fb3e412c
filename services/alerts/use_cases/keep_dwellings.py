"""Keeps what housing and registration tell of premises, and judges the rules in the same transaction.

Whichever side changes first: both lock the premises' row before they look, so the later one sees the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from policy.packs import Packs
from services.alerts.domain import alerts, rules
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
from services.alerts.domain.rules import Dwelling, Facts, Hazard
from services.alerts.storage import alert_store, change_store, dwelling_store, premises_store
from services.alerts.storage.change_store import AlertChange
from services.alerts.storage.dwelling_store import NEVER, DwellingRow, PremisesState
from services.alerts.storage.premises_store import Place
from services.alerts.use_cases.tell_fire import tell_fire

__all__ = ["Hazard", "HeadcountTold", "PremisesState", "PremisesTold"]


@dataclass(frozen=True, slots=True)
class PremisesTold:
    """A version of housing's side; without a state housing publishes these premises no more."""

    premises_id: UUID
    state: PremisesState | None
    version: tuple[int, int] = NEVER


@dataclass(frozen=True, slots=True)
class HeadcountTold:
    """A version of registration's side; without a headcount nobody is counted there any more."""

    premises_id: UUID
    headcount: int | None
    version: tuple[int, int] = NEVER


async def keep_dwellings(
    tx: Transaction, told: Sequence[PremisesTold | HeadcountTold], packs: Packs, district: str
) -> None:
    """Keep newer versions and raise, update or clear the alerts of rules accordingly.

    Keep the places of these premises first (`keep_place`): an alert takes its division from there.
    """
    if not told:
        return
    before = await dwelling_store.lock(tx, {each.premises_id for each in told})
    after = dict(before)
    for each in told:
        after[each.premises_id] = _newer(after[each.premises_id], each)
    for premises_id, row in after.items():
        # A row that only the lock made, and of which nothing was told, goes again.
        if row != before[premises_id] or (row.premises is None and row.headcount is None):
            await dwelling_store.save(tx, row)
    # Unchanged ones too: states are read again at every start, which is when a rule or pack that is new meets them.
    await _Rules(tx, packs, district, await tx.database_time()).judge(after)


def _newer(row: DwellingRow, told: PremisesTold | HeadcountTold) -> DwellingRow:
    if isinstance(told, PremisesTold):
        if told.state is None or told.version > row.premises_version:
            return replace(row, premises=told.state, premises_version=told.version)
    elif told.headcount is None or told.version > row.headcount_version:
        return replace(row, headcount=told.headcount, headcount_version=told.version)
    return row


class _Rules:
    """One transaction's judging: every alert is locked before a number is taken, so nobody waits in a circle."""

    def __init__(self, tx: Transaction, packs: Packs, district: str, at: datetime) -> None:
        self._tx = tx
        self._conditions = packs.on(city_day(at), district).conditions
        self._at = at
        self._changes: list[AlertChange] = []

    async def judge(self, rows: dict[UUID, DwellingRow]) -> None:
        standing = {(a.premises_id, a.rule): a for a in await alert_store.load_of_rules(self._tx, rows)}
        places = await premises_store.places(self._tx, rows)
        for premises_id, row in sorted(rows.items()):
            place = places.get(premises_id)
            found = rules.judge(_dwelling(row, place), self._conditions)
            # One that is no rule any more finds no facts.
            gone = {rule for at, rule in standing if at == premises_id and rule} - rules.RULES.keys()
            for rule in (*rules.RULES, *sorted(gone)):
                alert, facts = standing.get((premises_id, rule)), found.get(rule)
                if alert is None and facts is not None and place is not None:
                    await self._raise(rule, facts, place)
                elif alert is not None and facts is not None and place is not None:
                    await self._keep(alert, alerts.facts_changed(alert, facts, place.division_code))
                elif alert is not None:
                    await self._keep(alert, alerts.facts_ended(alert))
        change_store.record_changes(self._tx, self._changes)

    async def _raise(self, rule: str, facts: Facts, place: Place) -> None:
        grading = self._conditions.of(rule).clocks
        clocks = Clocks(
            acknowledge=timedelta(seconds=grading.acknowledge_seconds),
            verify=timedelta(seconds=grading.verify_seconds),
            close=timedelta(seconds=grading.close_seconds),
        )
        day = city_day(self._at)
        alert = Alert(
            alert_id=uuid7(),
            day=day,
            serial=NOT_NUMBERED,
            source=Source.RULE,
            notice_id=None,
            rule=rule,
            kind=rule,
            severity=Severity(grading.severity),
            state=AlertState.NEW,
            due_at=self._at + clocks.acknowledge,
            premises_id=place.premises_id,
            stay_id=None,
            room=None,
            division_code=place.division_code,
            occurred_at=self._at,
            raised_at=self._at,
            facts=facts,
            clocks=clocks,
        )
        stored = await alert_store.insert_new(self._tx, alert)
        assert stored is not None  # no notice's, and the lock on its premises keeps a second one away
        await self._note(None, Step(stored, Change.RAISED))

    async def _keep(self, before: Alert, step: Step) -> None:
        if step.alert != before:
            await alert_store.save(self._tx, step.alert)
            await self._note(before, step)

    async def _note(self, before: Alert | None, step: Step) -> None:
        alert, change = step.alert, step.change
        await tell_fire(self._tx, before, alert, self._at)
        if change is not None:
            self._changes.append(
                AlertChange(alert.alert_id, self._at, change, step.by, step.detail, None, alert.severity, alert.state)
            )


def _dwelling(row: DwellingRow, place: Place | None) -> Dwelling | None:
    state = row.premises
    if state is None or place is None:
        return None
    return Dwelling(place.kind, state.status, state.capacity, state.one_household, state.hazards, row.headcount or 0)
