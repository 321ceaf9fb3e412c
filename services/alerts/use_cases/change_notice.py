"""The one way in which a notice changes: under the lock that matching shares, with its history and its event."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chassis.data import audit
from chassis.data.db import Transaction
from chassis.data.encryption import Keyring, SubjectKey
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
    current = await catch_up(tx, row.notice, now)
    after = decide(current, now)
    sealed = await _seal(tx, keyring, notice_id, reason)
    await _store(tx, current, after, change, by, sealed, now)
    return after


async def add_notice(tx: Transaction, notice: Notice, subject: str, key: SubjectKey, now: datetime) -> None:
    """Store a new notice; `now` is what `hold_version` gave."""
    version = await notice_store.bump_version(tx)
    await notice_store.insert(tx, notice, key.seal(subject, "subject"), version, now)
    author = notice.latest.proposer
    await notice_store.insert_change(tx, notice.notice_id, "proposed", author, None, version, now)
    _audit(tx, notice, "proposed", author, now)


async def catch_up(tx: Transaction, notice: Notice, now: datetime) -> Notice:
    """Store a start or an end that the clock brought, as an entry of its own."""
    advanced = notices.advance(notice, now)
    if advanced != notice:
        change = "ended" if advanced.state is NoticeState.ENDED else "started"
        await _store(tx, notice, advanced, change, SYSTEM, None, now)
    return advanced


async def _store(
    tx: Transaction,
    before: Notice,
    after: Notice,
    change: str,
    by: Officer,
    reason: bytes | None,
    now: datetime,
) -> None:
    version = await notice_store.bump_version(tx)
    await notice_store.save(tx, before, after, version, now)
    await notice_store.insert_change(tx, after.notice_id, change, by, reason, version, now)
    _audit(tx, after, change, by, now)
    emission = events.notice_changed(before, after, now)
    if emission is not None:
        tx.emit(emission)


def _audit(tx: Transaction, notice: Notice, change: str, by: Officer, now: datetime) -> None:
    content = notice.latest.content
    entry = audit.Entry(
        by.subject,
        by.unit,
        f"notice.{change}",
        notice.notice_id,
        detail={"content_hash": content.hash(), "term": content.term},
    )
    audit.record(tx, entry, now)


async def note_refused_approval(tx: Transaction, notice_id: UUID, by: Officer) -> None:
    """Keep in the audit log that somebody tried to approve a notice of their own unit."""
    audit.record(tx, audit.Entry(by.subject, by.unit, "notice.approval-refused", notice_id), await tx.database_time())


async def _seal(tx: Transaction, keyring: Keyring, notice_id: UUID, reason: str | None) -> bytes | None:
    if reason is None:
        return None
    return (await keyring.subject_key(tx, notice_id)).seal(reason, REASON)
