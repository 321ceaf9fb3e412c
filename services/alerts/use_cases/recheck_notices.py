"""Asks anew for every active notice who is here now: what a restored database or a lost topic needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.data import audit
from chassis.data.db import Transaction
from services.alerts import events
from services.alerts.domain import notices
from services.alerts.domain.matching import live
from services.alerts.domain.notices import NoticeState
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import BadSignature, Verifier
from services.alerts.storage import live_notices, notice_store


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A page of notices: which asked, whose signature is bad, and after which id to go on, if any is left."""

    asked: Sequence[UUID]
    refused: Sequence[UUID]
    after: UUID | None


async def recheck_notices(
    tx: Transaction, *, after: UUID | None, limit: int, verifier: Verifier, by: Officer
) -> Rechecked:
    """Publish `notice-activated` again for the active ones among the next `limit` live notices.

    Registration answers with open stays only, and an alert that is there already stays the only one of its notice and
    stay: so a repetition finds what was lost and never what is past. Changes of notices wait meanwhile, so that no
    notice asks after its end.
    """
    now = await notice_store.hold_version(tx)
    page = await live_notices.changed_since(tx, 0, after=after, limit=limit)
    asked: list[UUID] = []
    refused: list[UUID] = []
    for row in page:
        try:
            if row.notice is None:
                raise BadSignature("the content is not readable")
            found = live(row.notice, verifier)
        except BadSignature:
            refused.append(row.notice_id)
            continue
        if found is not None and notices.advance(row.notice, now).state is row.notice.state is NoticeState.ACTIVE:
            tx.emit(events.notice_asks_again(row.notice, found.activated_at))
            asked.append(row.notice_id)
    audit.record(tx, [audit.Entry(by.subject, by.unit, "notice.rechecked", each) for each in asked], now)
    return Rechecked(asked, refused, page[-1].notice_id if len(page) == limit else None)
