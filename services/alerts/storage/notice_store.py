"""Reads and writes notices with their terms and changes, and guards the version that the matcher goes by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Transaction
from chassis.data.encryption import erase
from chassis.data.prepared import Prepared
from services.alerts.domain.contents import FORGOTTEN, parse_content
from services.alerts.domain.notices import Notice, NoticeState, Term
from services.alerts.domain.officers import Officer
from services.alerts.storage.notice_rows import read_notice, whole_notices
from services.alerts.storage.tables import alerts, notice_changes, notice_terms, notice_version, notices

# An advisory lock rather than a row's: it is granted in the order of asking, so that one batch after another, each
# sharing it, cannot keep a withdrawal waiting; and sharing it writes nothing.
NOTICES_LOCK = sa.func.hashtextextended("notices", 0)
CHANNEL = "notices"


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """An entry of a notice's history; `reason` is still sealed."""

    at: datetime
    change: str
    by: Officer
    reason: bytes | None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice with what stands beside it: when it was proposed, and its sealed subject."""

    notice: Notice
    proposed_at: datetime
    subject: bytes


_SHARE = Prepared(sa.select(sa.func.pg_advisory_xact_lock_shared(NOTICES_LOCK)))
_VERSION = Prepared(sa.select(notice_version.c.version, sa.func.clock_timestamp().label("at")))


async def share_version(tx: Transaction) -> tuple[int, datetime]:
    """Hold off changes of notices until this transaction ends; return the notices' version and the database's time."""
    await tx.run(_SHARE)
    # A statement of its own: its snapshot is taken once the lock is held, and sees the change that was waited for.
    return await look_at_version(tx)


async def look_at_version(tx: Transaction) -> tuple[int, datetime]:
    """Return the notices' version and the database's time without holding anything off."""
    row = await tx.fetch_one(_VERSION)
    return row.version, row.at.astimezone(UTC)


async def hold_version(tx: Transaction) -> datetime:
    """Wait for the batches that run, hold off new ones until this transaction ends; return the database's time then.

    That time is the moment of the change: every batch reads either before it, or after its commit. Changes of notices
    wait for each other too, so no row needs a lock of its own. Taken before anything else: a batch that shares it waits
    for nobody who waits for it.
    """
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(NOTICES_LOCK)))
    return await tx.database_time()


async def _bump_version(tx: Transaction) -> int:
    """Move the notices' version by one, for one change. Only with `hold_version` before."""
    moved = sa.update(notice_version).values(version=notice_version.c.version + 1).returning(notice_version.c.version)
    version: int = (await tx.execute(moved)).scalar_one()
    await tx.notify(CHANNEL)
    return version


async def load(tx: Transaction, notice_id: UUID) -> NoticeRow | None:
    """Load one notice."""
    row = await tx.one_or_none(whole_notices().where(notices.c.notice_id == notice_id))
    return _notice_row(row) if row is not None else None


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices a list shows; what is empty does not filter. `awaiting` are those with a term to approve."""

    states: frozenset[NoticeState] = frozenset()
    awaiting: bool = False
    author_unit: str = ""


async def list_page(
    tx: Transaction, wanted: NoticeFilter, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[NoticeRow]:
    """Return notices, newest proposal first, those after `before` in that order."""
    query = whole_notices().where(*_conditions(wanted)).limit(limit)
    if before is not None:
        query = query.where(sa.tuple_(notices.c.proposed_at, notices.c.notice_id) < sa.tuple_(*before))
    query = query.order_by(notices.c.proposed_at.desc(), notices.c.notice_id.desc())
    return [_notice_row(row) for row in await tx.all(query)]


async def count(tx: Transaction, wanted: NoticeFilter) -> int:
    """Return how many notices a filter shows."""
    number: int = await tx.scalar(sa.select(sa.func.count()).select_from(notices).where(*_conditions(wanted)))
    return number


def _conditions(wanted: NoticeFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.states:
        found.append(notices.c.state.in_(sorted(wanted.states)))
    if wanted.awaiting:
        found.append(notices.c.pending_term.is_not(None) & (notices.c.state != NoticeState.ENDED.value))
    if wanted.author_unit:
        found.append(notices.c.author_unit == wanted.author_unit)
    return found


async def due(tx: Transaction, now: datetime, limit: int) -> Sequence[UUID]:
    """Return notices that the clock has started or ended and whose row does not say so yet."""
    starts = (notices.c.state == NoticeState.SCHEDULED.value) & (notices.c.starts_at <= now)
    ends = (notices.c.state != NoticeState.ENDED.value) & (notices.c.ends_at <= now)
    return [row[0] for row in await tx.all(sa.select(notices.c.notice_id).where(starts | ends).limit(limit))]


async def store_new(tx: Transaction, notice: Notice, subject: bytes, now: datetime) -> None:
    """Store a proposal with its sealed subject; `now` is what `hold_version` gave."""
    version = await _bump_version(tx)
    await _insert(tx, notice, subject, version, now)
    await _insert_change(tx, notice, "proposed", notice.latest.proposer, None, version, now)


async def store_change(
    tx: Transaction,
    before: Notice,
    after: Notice,
    change: str,
    by: Officer,
    reason: bytes | None,
    now: datetime,
) -> None:
    """Store what a notice has become, with its history's entry; `now` is what `hold_version` gave."""
    version = await _bump_version(tx)
    await _save(tx, before, after, version, now)
    await _insert_change(tx, after, change, by, reason, version, now)


async def _insert(tx: Transaction, notice: Notice, subject: bytes, version: int, now: datetime) -> None:
    """Store a new notice with its first term."""
    await tx.execute(
        sa.insert(notices).values(
            notice_id=notice.notice_id,
            kind=notice.kind.value,
            author_unit=notice.author_unit,
            proposed_at=now,
            subject=subject,
            **_moving(notice, version, now),
        )
    )
    await tx.execute(sa.insert(notice_terms).values(_term_values(notice.notice_id, notice.latest)))


async def _save(tx: Transaction, before: Notice, after: Notice, version: int, now: datetime) -> None:
    """Store a change: the notice's row, a term that is new, an approval that was given."""
    await tx.execute(
        sa.update(notices).where(notices.c.notice_id == after.notice_id).values(_moving(after, version, now))
    )
    if after.pending is not None and after.pending != before.pending:
        await tx.execute(sa.insert(notice_terms).values(_term_values(after.notice_id, after.pending)))
    if after.running is not None and after.running != before.running:
        await tx.execute(
            sa.update(notice_terms)
            .where(notice_terms.c.notice_id == after.notice_id, notice_terms.c.term == after.running.content.term)
            .values(_approval_values(after.running))
        )


async def _insert_change(
    tx: Transaction, notice: Notice, change: str, by: Officer, reason: bytes | None, version: int, now: datetime
) -> None:
    """Write an entry of a notice's history, and one into the audit log, where nobody can take it back."""
    content = notice.latest.content
    detail: dict[str, audit.Scalar] = {"content_hash": content.hash(), "term": content.term}
    entry = audit.Entry(by.subject, by.unit, f"notice.{change}", notice.notice_id, detail=detail)
    audit.record(tx, entry, now)
    await tx.execute(
        sa.insert(notice_changes).values(
            version=version,
            notice_id=notice.notice_id,
            at=now,
            change=change,
            by=by.subject,
            by_name=by.name,
            by_unit=by.unit,
            reason=reason,
        )
    )


async def history(tx: Transaction, notice_id: UUID) -> Sequence[NoticeChange]:
    """Return a notice's history, oldest first."""
    query = sa.select(notice_changes).where(notice_changes.c.notice_id == notice_id).order_by(notice_changes.c.version)
    return [
        NoticeChange(row.at, row.change, Officer(row.by, row.by_name, row.by_unit), row.reason)
        for row in await tx.all(query)
    ]


def _notice_row(row: sa.Row[Any]) -> NoticeRow:
    return NoticeRow(read_notice(row), row.proposed_at, row.subject)


def _moving(notice: Notice, version: int, now: datetime) -> dict[str, Any]:
    """The columns of a notice that a change may move."""
    return {
        "state": notice.state.value,
        "why": notice.why.value if notice.why else None,
        "starts_at": notice.latest.content.starts_at,
        "ends_at": notice.ends_at,
        "running_term": notice.running.content.term if notice.running else None,
        "pending_term": notice.pending.content.term if notice.pending else None,
        "lifted_at": notice.lifted_at,
        "version": version,
        "changed_at": now,
    }


def _term_values(notice_id: UUID, term: Term) -> dict[str, Any]:
    return {
        "notice_id": notice_id,
        "term": term.content.term,
        "content": term.content.canonical().decode(),
        "content_hash": term.content.hash(),
        "proposer": term.proposer.subject,
        "proposer_name": term.proposer.name,
        "proposer_unit": term.proposer.unit,
        "proposed_at": term.proposed_at,
    }


def _approval_values(term: Term) -> dict[str, Any]:
    if term.approval is None or term.signature is None:
        raise ValueError("a running term is approved and signed")
    return {
        "approver": term.approval.approver.subject,
        "approver_name": term.approval.approver.name,
        "approver_unit": term.approval.approver.unit,
        "approved_at": term.approval.approved_at,
        "active_since": term.approval.active_since,
        "signing_key": term.signature.key_id,
        "signature": term.signature.value,
    }


async def forget_tokens(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Take the document's token out of the terms of notices that ended at `cut_off` or before."""
    ids = await _ended(tx, cut_off, limit, notices.c.has_token)
    terms = sa.select(notice_terms.c.notice_id, notice_terms.c.term, notice_terms.c.content)
    for row in await tx.all(terms.where(notice_terms.c.notice_id.in_(ids))):
        content = replace(parse_content(row.content.encode()), token=FORGOTTEN)
        one = (notice_terms.c.notice_id == row.notice_id, notice_terms.c.term == row.term)
        await tx.execute(sa.update(notice_terms).where(*one).values(content=content.canonical().decode()))
    await tx.execute(sa.update(notices).where(notices.c.notice_id.in_(ids)).values(has_token=False))
    return len(ids)


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete notices that ended at `cut_off` or before and have no alert any more, and the keys of their subjects."""
    ids = await _ended(tx, cut_off, limit, ~sa.exists().where(alerts.c.notice_id == notices.c.notice_id))
    for table in (notice_changes, notice_terms, notices):
        await tx.execute(sa.delete(table).where(table.c.notice_id.in_(ids)))
    await erase(tx, ids)
    return len(ids)


async def _ended(tx: Transaction, cut_off: datetime, limit: int, which: sa.ColumnElement[bool]) -> list[UUID]:
    """Lock and return notices that ended long ago. They change no more, so the matcher need not hear of it."""
    old = sa.select(notices.c.notice_id).where(notices.c.state == "ended", notices.c.changed_at <= cut_off, which)
    rows = await tx.all(old.order_by(notices.c.changed_at).limit(limit).with_for_update(skip_locked=True))
    return [row.notice_id for row in rows]
