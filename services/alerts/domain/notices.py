"""The life of a notice: proposed, approved by another unit, scheduled, active, suspended, ended."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.contents import Content, NoticeKind, canonical_json, instant
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import Signature


class NoticeState(StrEnum):
    """Where a notice stands."""

    PROPOSED = "proposed"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Why(StrEnum):
    """Why a notice ended."""

    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CARRIED_OUT = "carried_out"
    REPLACED = "replaced"


# An approved notice that has not ended, suspended or not.
APPROVED = frozenset({NoticeState.SCHEDULED, NoticeState.ACTIVE, NoticeState.SUSPENDED})


class OwnNotice(Exception):
    """Who proposed a term may not approve it."""


class SameUnit(Exception):
    """Nobody of the author's unit may approve."""


class NotYourUnit(Exception):
    """Only the author's unit may take this step."""


class ContentChanged(Exception):
    """The hash is not the one of what waits for approval."""


class WrongNoticeState(Exception):
    """The step does not follow from the notice's present state."""

    def __init__(self, state: NoticeState, why: Why | None = None) -> None:
        super().__init__(state.value)
        self.state = state
        self.why = why


class NothingToApprove(WrongNoticeState):
    """No proposal of this notice waits for approval."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved which content, and since when the notice has been active without a break.

    `active_since` is the later of approval and start; a renewal of a running notice carries the earlier one on,
    so that an arrival during the old term still matches when it is read after the renewal.
    """

    content_hash: str
    approver: Officer
    approved_at: datetime
    active_since: datetime

    def statement(self) -> bytes:
        """Return the bytes that are signed: the content by its hash, the approver, the times."""
        return canonical_json(
            {
                "active_since": instant(self.active_since),
                "approved_at": instant(self.approved_at),
                "approver": self.approver.subject,
                "approver_unit": self.approver.unit,
                "content_hash": self.content_hash,
            }
        )


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a notice: a content, who proposed it, and its signed approval when it has one."""

    content: Content
    proposer: Officer
    proposed_at: datetime
    approval: Approval | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice: the approved term that runs, and the term that waits for approval."""

    notice_id: UUID
    state: NoticeState
    running: Term | None
    pending: Term | None
    why: Why | None = None
    lifted_at: datetime | None = None

    @property
    def latest(self) -> Term:
        """The term to show: what waits for approval, else what runs."""
        term = self.pending or self.running
        if term is None:
            raise AssertionError("a notice has a term")
        return term

    @property
    def kind(self) -> NoticeKind:
        """The notice's kind, the same in every term."""
        return self.latest.content.kind

    @property
    def author_unit(self) -> str:
        """The unit that may withdraw and renew."""
        return self.latest.content.author_unit

    @property
    def ends_at(self) -> datetime:
        """When the notice ends if nothing else happens: a renewal counts from its approval."""
        return (self.running or self.latest).content.ends_at

    @property
    def activated_at(self) -> datetime | None:
        """The latest activation: the latest of approval, start and lifting; None before an approval."""
        if self.running is None or self.running.approval is None:
            return None
        return activation(self.running.approval, self.lifted_at)


def activation(approval: Approval, lifted_at: datetime | None) -> datetime:
    """The latest of approval, start and lifting of a suspension."""
    return max(approval.active_since, lifted_at) if lifted_at else approval.active_since


def propose(content: Content, author: Officer, now: datetime) -> Notice:
    """A new notice that waits for an approver of another unit."""
    return Notice(content.notice_id, NoticeState.PROPOSED, running=None, pending=Term(content, author, now))


def advance(notice: Notice, now: datetime) -> Notice:
    """What the clock alone has made of a notice: started, or ended because its term is over."""
    if notice.state is NoticeState.ENDED:
        return notice
    if notice.ends_at <= now:
        return replace(notice, state=NoticeState.ENDED, why=Why.EXPIRED)
    if notice.state is NoticeState.SCHEDULED and notice.latest.content.starts_at <= now:
        return replace(notice, state=NoticeState.ACTIVE)
    return notice


def may_decide(notice: Notice, officer: Officer) -> bool:
    """Whether this approver may decide on what waits: another person of another unit than its author's."""
    return (
        notice.state is not NoticeState.ENDED
        and notice.pending is not None
        and notice.pending.proposer.subject != officer.subject
        and notice.pending.proposer.unit != officer.unit
    )


def approve(notice: Notice, approver: Officer, content_hash: str, now: datetime) -> Approval:
    """Decide on what waits for approval.

    Raises OwnNotice, SameUnit, NothingToApprove (nothing waits, or the notice ended), ContentChanged (another hash).
    """
    term = notice.latest
    if term.proposer.subject == approver.subject:
        raise OwnNotice
    if term.proposer.unit == approver.unit:
        raise SameUnit
    if notice.state is NoticeState.ENDED or notice.pending is None:
        raise NothingToApprove(notice.state, notice.why)
    if notice.pending.content.hash() != content_hash:
        raise ContentChanged
    active_since = max(now, notice.pending.content.starts_at)
    if notice.running is not None and notice.running.approval is not None and notice.state is not NoticeState.SUSPENDED:
        active_since = notice.running.approval.active_since
    return Approval(content_hash, approver, approved_at=now, active_since=active_since)


def approved(notice: Notice, approval: Approval, signature: Signature) -> Notice:
    """The notice with its approved term running."""
    if notice.pending is None:
        raise NothingToApprove(notice.state, notice.why)
    state = notice.state
    if state is NoticeState.PROPOSED:
        started = notice.pending.content.starts_at <= approval.approved_at
        state = NoticeState.ACTIVE if started else NoticeState.SCHEDULED
    return replace(
        notice,
        state=state,
        running=replace(notice.pending, approval=approval, signature=signature),
        pending=None,
    )


def renew(notice: Notice, content: Content, author: Officer, now: datetime) -> Notice:
    """Propose another end for a running notice; the old term runs on until another unit approves this one.

    Raises NotYourUnit, WrongNoticeState (not approved yet, or ended).
    """
    if author.unit != notice.author_unit:
        raise NotYourUnit
    if notice.state not in APPROVED:
        raise WrongNoticeState(notice.state, notice.why)
    return replace(notice, pending=Term(content, author, now))


def renewed_content(notice: Notice, author: Officer, ends_at: datetime) -> Content:
    """The content of a renewal: the running one with another end, author and term number."""
    last = notice.latest.content
    running = (notice.running or notice.latest).content
    return replace(running, term=last.term + 1, ends_at=ends_at, author=author.subject, author_unit=author.unit)


def withdraw(notice: Notice, officer: Officer, why: Why) -> Notice:
    """End a notice, or take a proposal back. Raises NotYourUnit, WrongNoticeState (it has ended)."""
    if officer.unit != notice.author_unit:
        raise NotYourUnit
    if notice.state is NoticeState.ENDED:
        raise WrongNoticeState(notice.state, notice.why)
    return replace(notice, state=NoticeState.ENDED, why=why)


def suspend(notice: Notice) -> Notice:
    """Let a notice rest. Raises WrongNoticeState unless it is scheduled or active."""
    if notice.state not in (NoticeState.SCHEDULED, NoticeState.ACTIVE):
        raise WrongNoticeState(notice.state, notice.why)
    return replace(notice, state=NoticeState.SUSPENDED)


def lift(notice: Notice, now: datetime) -> Notice:
    """End a suspension: the notice becomes active anew. Raises WrongNoticeState unless it is suspended."""
    if notice.state is not NoticeState.SUSPENDED:
        raise WrongNoticeState(notice.state, notice.why)
    started = notice.latest.content.starts_at <= now
    state = NoticeState.ACTIVE if started else NoticeState.SCHEDULED
    return replace(notice, state=state, lifted_at=now)
