"""The life of an alert: the state table of interfaces.md, its clocks, and who answers for it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.alerts.domain.officers import SYSTEM, Officer

# An alert's number counts within the day of the city, whatever the server's zone.
CITY_TIME = ZoneInfo("Asia/Shanghai")


class AlertState(StrEnum):
    """Where an alert stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    CLOSED = "closed"
    CLEARED = "cleared"
    RETRACTED = "retracted"


class Source(StrEnum):
    """What an alert comes from."""

    NOTICE = "notice"
    RULE = "rule"


class Severity(StrEnum):
    """How much it matters, worst first."""

    CRITICAL = "critical"
    URGENT = "urgent"
    NORMAL = "normal"
    INFO = "info"


class Outcome(StrEnum):
    """How an alert was closed; any of them after any verification."""

    RESOLVED = "resolved"
    HANDED_OVER = "handed_over"
    NOT_CONFIRMED = "not_confirmed"
    TEST = "test"


class Change(StrEnum):
    """What happened to an alert: an entry of its history."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    CLOSED = "closed"
    REOPENED = "reopened"
    RETRACTED = "retracted"
    ESCALATED = "escalated"
    REASSIGNED = "reassigned"
    NOTED = "noted"
    MOVED = "moved"
    VIEWED = "viewed"
    CLEARED = "cleared"
    FACTS_CHANGED = "facts_changed"
    CORRECTION_NOTED = "correction_noted"


# The words of the stream (interfaces.md); what has none there is `updated`.
STREAMED = frozenset(
    {
        Change.RAISED,
        Change.ACKNOWLEDGED,
        Change.VERIFIED,
        Change.CLOSED,
        Change.REOPENED,
        Change.CLEARED,
        Change.RETRACTED,
    }
)

# product.md section 5, Desk: what a verification may find, by what the alert comes from.
FINDINGS = {
    Source.NOTICE: frozenset({"true_match", "false_match", "test", "cannot_verify"}),
    Source.RULE: frozenset({"confirmed", "not_confirmed", "test", "cannot_verify"}),
}

# The way of an alert on which somebody works, in order.
WAY = (AlertState.NEW, AlertState.ACKNOWLEDGED, AlertState.VERIFIED)
OPEN = frozenset(WAY)


class StepRefused(Exception):
    """The step does not follow from the present state; `code` names that state, `alert` is as it stands."""

    def __init__(self, code: str, alert: "Alert") -> None:
        super().__init__(code)
        self.code = code
        self.alert = alert


class UnknownFinding(ValueError):
    """The result is not one that this alert's verification can have."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long an alert may stay in each state, by the pack in force when it was raised."""

    acknowledge: timedelta
    verify: timedelta
    close: timedelta


# An alert's serial until it is stored: the database gives it.
NOT_NUMBERED = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands."""

    alert_id: UUID
    day: date
    serial: int
    source: Source
    notice_id: UUID | None
    rule: str | None
    kind: str
    severity: Severity
    state: AlertState
    due_at: datetime | None
    premises_id: UUID
    stay_id: UUID | None
    room: str | None
    division_code: str
    occurred_at: datetime
    raised_at: datetime
    facts: dict[str, Any]
    clocks: Clocks
    owner: Officer | None = None
    escalation_level: int = 0
    # Who made the state what it is, with which finding or outcome: what makes a repeated step a repeat.
    settled_by: str | None = None
    finding: str | None = None
    outcome: Outcome | None = None
    # Whether the event behind the alert still matches, and when the last event that was judged had been recorded.
    holds: bool = True
    event_recorded_at: datetime | None = None

    @property
    def number(self) -> str:
        """The speakable number: day and serial, `1124-0317`."""
        return f"{self.day:%m%d}-{self.serial:04d}"


@dataclass(frozen=True, slots=True)
class Step:
    """An alert after a step, and the entry for its history; without an entry nothing happened."""

    alert: Alert
    change: Change | None = None
    by: Officer = SYSTEM
    reason: str | None = None
    detail: str | None = None


def city_day(at: datetime) -> date:
    """The day in the city at this time."""
    return at.astimezone(CITY_TIME).date()


def acknowledge(alert: Alert, by: Officer, reason: str | None, now: datetime) -> Step:
    """Take an alert on, or over from another officer with a reason. Raises StepRefused."""
    if alert.state is AlertState.NEW:
        taken = replace(
            alert,
            state=AlertState.ACKNOWLEDGED,
            owner=by,
            settled_by=by.subject,
            due_at=now + alert.clocks.verify,
        )
        return Step(taken, Change.ACKNOWLEDGED, by, reason)
    if alert.state is not AlertState.ACKNOWLEDGED:
        raise _refused(alert, AlertState.NEW)
    if alert.owner is not None and alert.owner.subject == by.subject:
        return Step(alert)
    if not reason:
        raise _refused(alert, AlertState.NEW)
    # The clock runs on: somebody else takes over, the alert does not start again.
    return Step(replace(alert, owner=by, settled_by=by.subject), Change.ACKNOWLEDGED, by, reason, detail="taken_over")


def verify(alert: Alert, by: Officer, finding: str, reason: str, now: datetime) -> Step:
    """Say what the check on the spot found. Raises StepRefused, UnknownFinding."""
    if finding not in FINDINGS[alert.source]:
        raise UnknownFinding(finding)
    if alert.state is AlertState.VERIFIED and (alert.settled_by, alert.finding) == (by.subject, finding):
        return Step(alert)
    if alert.state is not AlertState.ACKNOWLEDGED:
        raise _refused(alert, AlertState.ACKNOWLEDGED)
    verified = replace(
        alert,
        state=AlertState.VERIFIED,
        finding=finding,
        settled_by=by.subject,
        due_at=now + alert.clocks.close,
    )
    return Step(verified, Change.VERIFIED, by, reason, detail=finding)


def close(alert: Alert, by: Officer, outcome: Outcome, reason: str) -> Step:
    """End the work on an alert: after verification, or as a test straight away. Raises StepRefused."""
    if alert.state is AlertState.CLOSED and (alert.settled_by, alert.outcome) == (by.subject, outcome):
        return Step(alert)
    test = alert.state is AlertState.NEW and outcome is Outcome.TEST
    if alert.state is not AlertState.VERIFIED and not test:
        raise _refused(alert, AlertState.VERIFIED)
    closed = replace(alert, state=AlertState.CLOSED, outcome=outcome, settled_by=by.subject, due_at=None)
    return Step(closed, Change.CLOSED, by, reason, detail=outcome.value)


def reopen(alert: Alert, by: Officer, reason: str, now: datetime) -> Step:
    """Begin again with a closed alert; it has no owner then. Raises StepRefused."""
    if alert.state is AlertState.NEW and alert.settled_by == by.subject:
        return Step(alert)
    if alert.state is not AlertState.CLOSED:
        raise StepRefused("not-closed", alert)
    # What ended stays ended: when a rule's facts hold again, they raise an alert of their own.
    if alert.source is Source.RULE and not alert.holds:
        raise StepRefused("already-cleared", alert)
    return Step(_begun_again(alert, by, now), Change.REOPENED, by, reason)


def escalate(alert: Alert, by: Officer, reason: str) -> Step:
    """Raise the level of an open alert by one; its state stays. Raises StepRefused."""
    if alert.state not in OPEN:
        raise _refused(alert, AlertState.NEW)
    level = alert.escalation_level + 1
    return Step(replace(alert, escalation_level=level), Change.ESCALATED, by, reason, detail=str(level))


def note(alert: Alert, by: Officer, text: str) -> Step:
    """Write something into the history, in any state."""
    return Step(alert, Change.NOTED, by, text)


def broken(alert: Alert, recorded_at: datetime) -> Step:
    """The event behind the alert was corrected: retracted, but a closed alert keeps its state and notes it."""
    judged = replace(alert, holds=False, event_recorded_at=recorded_at)
    if alert.state is AlertState.CLOSED:
        return Step(judged, Change.CORRECTION_NOTED, detail="match_broken")
    return Step(replace(judged, state=AlertState.RETRACTED, due_at=None), Change.RETRACTED)


def holds_again(alert: Alert, recorded_at: datetime, now: datetime) -> Step:
    """The match holds after another correction: new again, unless an officer's decision stands; then it is noted."""
    judged = replace(alert, holds=True, event_recorded_at=recorded_at)
    if alert.state is AlertState.RETRACTED:
        return Step(_begun_again(judged, SYSTEM, now), Change.REOPENED, detail="match_holds_again")
    return Step(judged, Change.CORRECTION_NOTED, detail="match_holds_again")


def still_broken(alert: Alert, recorded_at: datetime) -> Step:
    """Another correction, and the match does not hold either: only the time of it is kept."""
    return Step(replace(alert, event_recorded_at=recorded_at))


def moved(alert: Alert, premises_id: UUID, room: str | None, division_code: str, recorded_at: datetime) -> Step:
    """The stay is elsewhere than recorded first; the history says so when the place differs."""
    place = (premises_id, room, division_code)
    judged = replace(
        alert, premises_id=premises_id, room=room, division_code=division_code, event_recorded_at=recorded_at
    )
    changed = place != (alert.premises_id, alert.room, alert.division_code)
    return Step(judged, Change.MOVED if changed else None)


def facts_changed(alert: Alert, facts: dict[str, Any], division_code: str) -> Step:
    """A rule still holds, by other facts: its alert shows them; a closed one keeps them for a reopening."""
    if (facts, division_code) == (alert.facts, alert.division_code):
        return Step(alert)
    changed = replace(alert, facts=facts, division_code=division_code)
    return Step(changed, Change.FACTS_CHANGED if alert.state in OPEN else None)


def facts_ended(alert: Alert) -> Step:
    """A rule's facts have ended: cleared, but a closed alert keeps its state and notes it."""
    ended = replace(alert, holds=False)
    if alert.state is AlertState.CLOSED:
        return Step(ended, Change.CORRECTION_NOTED, detail="facts_ended")
    return Step(replace(ended, state=AlertState.CLEARED, due_at=None), Change.CLEARED)


def _begun_again(alert: Alert, by: Officer, now: datetime) -> Alert:
    return replace(
        alert,
        state=AlertState.NEW,
        owner=None,
        finding=None,
        outcome=None,
        settled_by=by.subject,
        due_at=now + alert.clocks.acknowledge,
    )


def _refused(alert: Alert, needed: AlertState) -> StepRefused:
    """Name the present state: `not-verified` for a step that comes too early, `already-closed` for one too late."""
    early = alert.state in OPEN and WAY.index(alert.state) < WAY.index(needed)
    return StepRefused(f"not-{needed.value}" if early else f"already-{alert.state.value}", alert)
