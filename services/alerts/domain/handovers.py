"""A shift's handover: an officer offers the open alerts they answer for, another takes them all with a word."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.alerts.domain.alerts import WAY, Alert, AlertState, Change, Step
from services.alerts.domain.officers import Officer

# Who works on an alert answers for it: one that nobody has taken on yet is nobody's to hand over.
OWNED = frozenset(WAY) - {AlertState.NEW}


class HandoverRefused(Exception):
    """The step does not follow from how the handover stands; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Handover:
    """An offer as it stands: open until `ended_at`; then taken by `taker` with so many alerts, or withdrawn by nobody.

    `note` is sealed with the handover's own key.
    """

    handover_id: UUID
    giver: Officer
    offered_at: datetime
    note: bytes
    ended_at: datetime | None = None
    taker: Officer | None = None
    alerts: int = 0


def take(offer: Handover, by: Officer, alerts: int, now: datetime) -> Handover:
    """Take over what was offered; the same officer again changes nothing. Raises HandoverRefused."""
    if offer.giver.subject == by.subject:
        raise HandoverRefused("own-handover")
    if offer.ended_at is not None:
        if offer.taker is not None and offer.taker.subject == by.subject:
            return offer
        raise HandoverRefused("handover-taken" if offer.taker else "handover-withdrawn")
    return replace(offer, taker=by, ended_at=now, alerts=alerts)


def withdraw(offer: Handover, by: Officer, now: datetime) -> Handover:
    """Take the offer back; again, it changes nothing. Raises HandoverRefused."""
    if offer.giver.subject != by.subject:
        raise HandoverRefused("not-your-handover")
    if offer.taker is not None:
        raise HandoverRefused("handover-taken")
    return replace(offer, ended_at=offer.ended_at or now)


def reassign(alert: Alert, giver: Officer, to: Officer) -> Step:
    """Let `to` answer for an alert of `giver`: state, finding and clock stay. One that is not theirs stays as it is."""
    if alert.state not in OWNED or alert.owner is None or alert.owner.subject != giver.subject:
        return Step(alert)
    return Step(replace(alert, owner=to), Change.REASSIGNED, to, detail=giver.name)
