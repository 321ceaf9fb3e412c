"""What alerts publishes: notices that become active or end, and the states of a notice's alerts."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from contracts.event import Event, Instant
from contracts.fields import field, tags
from contracts.registration import MatchingTokenV1

NOTICE = tags(purpose="notice_matching", basis="notice_instrument", class_="pseudonym", retention="topic_7_days")
# Registration learns that an alert of a stay exists, so that an officer may read this stay with the alert as case.
ALERT = tags(purpose="alert_handling", basis="notice_instrument", class_="pseudonym", retention="topic_7_days")


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
