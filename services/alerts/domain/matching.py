"""The matching rule: when an event of a stay meets a notice."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.contents import NoticeKind, Token
from services.alerts.domain.notices import Notice, NoticeState, Term, activation
from services.alerts.domain.signatures import BadSignature, Verifier

# product.md section 1: a notice meets what is recorded after it became active, with this much for clocks that differ.
TOLERANCE = timedelta(minutes=5)


class StayChange(StrEnum):
    """What an event says of a stay."""

    ARRIVED = "arrived"
    DEPARTED = "departed"
    CORRECTED = "corrected"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class StayEvent:
    """An event of a stay: the stay as it is after it. `recorded_at` is when the event's own row was written."""

    change: StayChange
    stay_id: UUID
    premises_id: UUID
    room: str | None
    division_code: str
    stay_kind: str
    occurred_at: datetime
    recorded_at: datetime
    ended_at: datetime | None
    token: Token | None


@dataclass(frozen=True, slots=True)
class LiveNotice:
    """What the matcher needs of a notice that is scheduled or active, all of it out of what was signed."""

    notice_id: UUID
    kind: NoticeKind
    token: Token
    starts_at: datetime
    ends_at: datetime
    activated_at: datetime

    def active_at(self, at: datetime) -> bool:
        """Whether the notice's term runs at this time."""
        return self.starts_at <= at < self.ends_at


def live(notice: Notice, verifier: Verifier) -> LiveNotice | None:
    """The notice as the matcher takes it; None when it is not scheduled or active.

    Raises BadSignature for a notice whose running term was not approved and signed exactly as it stands.
    """
    if notice.state not in (NoticeState.SCHEDULED, NoticeState.ACTIVE):
        return None
    if notice.running is None:
        raise BadSignature("no term of this notice was approved")
    since = _verified_activation(notice.notice_id, notice.running, notice.lifted_at, verifier)
    content = notice.running.content
    return LiveNotice(
        notice.notice_id, content.kind, content.token, content.starts_at, content.ends_at, activated_at=since
    )


def _verified_activation(notice_id: UUID, term: Term, lifted_at: datetime | None, verifier: Verifier) -> datetime:
    content, approval = term.content, term.approval
    if approval is None or term.signature is None:
        raise BadSignature("the term was not approved")
    if content.notice_id != notice_id or content.hash() != approval.content_hash:
        raise BadSignature("the content is not the approved one")
    if approval.approver.subject == content.author or approval.approver.unit == content.author_unit:
        raise BadSignature("author and approver are not of two units")
    verifier.verify(term.signature, approval.statement())
    return activation(approval, lifted_at)


def matches(notice: LiveNotice, event: StayEvent, at: datetime) -> bool:
    """Whether an event meets a notice; `at` is the database's time of the batch that the event is read in.

    product.md section 1 and architecture.md section 5: the whole document token is equal, the notice is active, the
    event was recorded no earlier than 5 minutes before the latest activation, and a stay that is known to have ended
    did not end before that either. A departure never raises an alert.
    """
    reach = notice.activated_at - TOLERANCE
    return (
        event.change is not StayChange.DEPARTED
        and event.token == notice.token
        and notice.active_at(at)
        and event.recorded_at >= reach
        and (event.ended_at is None or event.ended_at >= reach)
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one notice's alert on a stay: `token` is the notice's, `holds` whether the match still holds."""

    token: Token
    holds: bool
    recorded_at: datetime


class Verdict(StrEnum):
    """What an event means for an alert that exists."""

    OLD = "old"
    BROKEN = "broken"
    HOLDS_AGAIN = "holds_again"
    STILL_HOLDS = "still_holds"
    STILL_BROKEN = "still_broken"


def judge(standing: Standing, event: StayEvent, notice: LiveNotice | None, at: datetime) -> Verdict:
    """What an event of the same stay means for an alert.

    A departure, and an event recorded before the last one that was judged, say nothing new. `notice` is None when it
    is not live any more: an ended notice's alert is still broken by a correction, and never revived.
    """
    if event.change is StayChange.DEPARTED or event.recorded_at < standing.recorded_at:
        return Verdict.OLD
    if event.token != standing.token:
        return Verdict.BROKEN if standing.holds else Verdict.STILL_BROKEN
    if standing.holds:
        return Verdict.STILL_HOLDS
    revived = notice is not None and matches(notice, event, at)
    return Verdict.HOLDS_AGAIN if revived else Verdict.STILL_BROKEN


@dataclass(frozen=True, slots=True)
class Decision:
    """What one event leads to: notices that raise an alert on this stay, and what it means for the stay's alerts."""

    raised: tuple[LiveNotice, ...]
    verdicts: Mapping[UUID, Verdict]


def decide(
    event: StayEvent,
    standings: Mapping[UUID, Standing],
    live_notices: Mapping[UUID, LiveNotice],
    same_token: Collection[LiveNotice],
    at: datetime,
) -> Decision:
    """Judge one event. `standings` are the stay's alerts by notice, `same_token` the live notices on its document.

    When a later event of the stay was judged before, this one says nothing about the present and raises nothing.
    """
    late = any(event.recorded_at < standing.recorded_at for standing in standings.values())
    return Decision(
        raised=()
        if late
        else tuple(notice for notice in same_token if notice.notice_id not in standings and matches(notice, event, at)),
        verdicts={
            notice_id: judge(standing, event, live_notices.get(notice_id), at)
            for notice_id, standing in standings.items()
        },
    )
