"""The one way in which a notice changes: under the lock that matching shares, with its history and its event."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts import events
from services.alerts.domain import notices
from services.alerts.domain.notices import Notice, NoticeState
from services.alerts.domain.officers import SYSTEM, Officer
from services.alerts.storage import notice_store

# What a reason is sealed as.
REASON = "reason"

Decide = Callable[[Notice, datetime], Notice]


class UnknownNotice(LookupError):
    """There is no notice with this id."""


async def change_notice(
    tx: Transaction,
    notice_id: UUID,
    change: str,
    decide: Decide,
    *,
    by: Officer,
    keyring: Keyring,
    reason: str | None = None,
) -> Notice:
    """Let `decide` make the notice as it now stands into what it becomes; `change` names it in the history.

    `decide` gets the database's time under the lock: the moment before which every arrival is judged by the old notice,
    and after which by the new. Raises UnknownNotice and what `decide` raises.
    """
    now = await notice_store.hold_version(tx)
    row = await notice_store.load(tx, notice_id)
    if row is None:
        raise UnknownNotice(notice_id)
    current = await _catch_up(tx, row.notice, now)
    after = decide(current, now)
    if after != current:
        sealed = (await keyring.subject_key(tx, notice_id)).seal(reason, REASON) if reason else None
        await notice_store.store_change(tx, current, after, change, by, sealed, now)
        _publish(tx, current, after, now)
    return after


async def _catch_up(tx: Transaction, notice: Notice, now: datetime) -> Notice:
    """Store a start or an end that the clock brought, as an entry of its own."""
    advanced = notices.advance(notice, now)
    if advanced != notice:
        change = "ended" if advanced.state is NoticeState.ENDED else "started"
        await notice_store.store_change(tx, notice, advanced, change, SYSTEM, None, now)
        _publish(tx, notice, advanced, now)
    return advanced


def _publish(tx: Transaction, before: Notice, after: Notice, now: datetime) -> None:
    emission = events.notice_changed(before, after, now)
    if emission is not None:
        tx.emit(emission)
