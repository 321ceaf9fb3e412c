"""What alerts publishes: notices and states of their alerts, cases for a department, counts of a day."""

from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator

from contracts.event import Code, DivisionCode, Event, Instant
from contracts.fields import field, tags
from contracts.housing import HazardSeverity
from contracts.registration import MatchingTokenV1
from contracts.statistics import COUNT, Statistics

NOTICE = tags(purpose="notice_matching", basis="notice_instrument", class_="pseudonym", retention="topic_7_days")
# Registration learns that an alert of a stay exists, so that an officer may read this stay with the alert as case.
ALERT = tags(purpose="alert_handling", basis="notice_instrument", class_="pseudonym", retention="topic_7_days")

# The fire department is told which place burns easily and how many must get out of it; who they are it need not know.
CASE = tags(purpose="housing_safety", basis="not_personal", class_="none", retention="topic_30_days")
INSIDE = tags(purpose="housing_safety", basis="fire_safety", class_="personal", retention="topic_30_days")


class NoticeEnd(StrEnum):
    """Why a notice ended or rests."""

    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CARRIED_OUT = "carried_out"
    REPLACED = "replaced"
    SUSPENDED = "suspended"


class AlertState(StrEnum):
    """Where an alert stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    CLOSED = "closed"
    CLEARED = "cleared"
    RETRACTED = "retracted"


class NoticeActivatedV1(Event):
    """A notice has become active and asks once who is here now. Key of the record is the notice id."""

    notice_id: Annotated[UUID, field(NOTICE)]
    token: Annotated[MatchingTokenV1 | None, field(NOTICE)] = None
    expiry_token: Annotated[
        MatchingTokenV1 | None, field(NOTICE, description="of a lost document: number and expiry date together")
    ] = None
    activated_at: Annotated[Instant, field(NOTICE)]


class NoticeEndedV1(Event):
    """A notice is no longer active. Key of the record is the notice id."""

    notice_id: Annotated[UUID, field(NOTICE)]
    ended_at: Annotated[Instant, field(NOTICE)]
    reason: Annotated[NoticeEnd, field(NOTICE)]


class AlertEventV1(Event):
    """What each event of a notice's alert carries. Key of the record is the alert id.

    No token and no kind: registration is told which stay has an alert, not what for.
    """

    alert_id: Annotated[UUID, field(ALERT)]
    stay_id: Annotated[UUID, field(ALERT)]
    state: Annotated[AlertState, field(ALERT)]
    occurred_at: Annotated[Instant, field(ALERT)]


class AlertRaisedV1(AlertEventV1):
    """An open stay matched a notice."""


class AlertAcknowledgedV1(AlertEventV1):
    """An officer took the alert over."""


class AlertVerifiedV1(AlertEventV1):
    """An officer verified what the alert says."""


class AlertClosedV1(AlertEventV1):
    """An alert was closed with an outcome."""


class AlertReopenedV1(AlertEventV1):
    """A closed alert is open again."""


class AlertRetractedV1(AlertEventV1):
    """The event behind an alert was corrected; the match no longer holds."""


class FireCaseState(StrEnum):
    """Where the fire department's case stands."""

    OPEN = "open"
    CLEARED = "cleared"
    CLOSED = "closed"


class CaseHazardV1(Event):
    """An imminent hazard of the case's premises. `item` is a code of the inspection checklist."""

    item: Annotated[Code, field(CASE)]
    severity: Annotated[HazardSeverity, field(CASE)]


class FireCaseV1(Event):
    """What each event for the fire department carries: the case as it is after the event. Key is the case id."""

    case_id: Annotated[UUID, field(CASE, description="the id of the alert")]
    premises_id: Annotated[UUID, field(CASE)]
    address: Annotated[str, field(CASE, min_length=1, max_length=200)]
    division_code: Annotated[DivisionCode, field(CASE)]
    latitude: Annotated[float | None, field(CASE, ge=-90, le=90)] = None
    longitude: Annotated[float | None, field(CASE, ge=-180, le=180)] = None
    hazards: Annotated[tuple[CaseHazardV1, ...], field(CASE, description="imminent ones that are open now")] = ()
    headcount: Annotated[int, field(INSIDE, ge=0, description="people registered there now")]
    since: Annotated[Instant, field(CASE, description="when the case was opened")]
    state: Annotated[FireCaseState, field(CASE)]


class ImminentHazardOccupiedV1(FireCaseV1):
    """People live where a hazard is imminent. Sent again, with the same case id, when hazards or headcount change."""


class ImminentHazardOccupiedClearedV1(FireCaseV1):
    """The case ended: nobody lives there any more or no hazard is imminent (`cleared`), or an officer closed it."""

    ended_at: Annotated[Instant, field(CASE)]


# Counted as one kind: how many protection orders or wanted persons were met in one community on one day would tell a
# neighbour what the police came for. Figures by notice kind stay in alerts, for the overseer.
FOLDED_KIND: Final = "notice"
_NOTICE_KINDS: Final = ("wanted", "missing_person", "lost_document", "protection_order", "family_tracing")


def _folded(kind: str) -> str:
    if kind in _NOTICE_KINDS:
        raise ValueError(f"kinds of notices are counted together, as {FOLDED_KIND!r}")
    return kind


class AlertsStatisticsV1(Statistics):
    """Alerts of one kind in one division on one day, as known now.

    `kind` is the rule's name, or "notice" for all kinds of notices together. An alert counts once in each column, on
    the day of its latest such step; one that was retracted counts in `retracted` alone, on the day it was raised. The
    sums of seconds are those of the alerts in the column beside them, each from being raised to that step.
    """

    kind: Annotated[Code, AfterValidator(_folded), field(COUNT)]
    raised: Annotated[int, field(COUNT, ge=0)]
    acknowledged: Annotated[int, field(COUNT, ge=0)]
    acknowledge_seconds: Annotated[int, field(COUNT, ge=0)]
    verified: Annotated[int, field(COUNT, ge=0)]
    verify_seconds: Annotated[int, field(COUNT, ge=0)]
    closed: Annotated[int, field(COUNT, ge=0)]
    close_seconds: Annotated[int, field(COUNT, ge=0)]
    cleared: Annotated[int, field(COUNT, ge=0)]
    clear_seconds: Annotated[int, field(COUNT, ge=0)]
    retracted: Annotated[int, field(COUNT, ge=0)]
