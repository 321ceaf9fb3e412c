"""The audit chain: every read of personal data and every decision, append-only and linked by hashes."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import sqlalchemy as sa

from chassis.data.db import Database, Transaction
from chassis.data.tables import audit_entries, audit_head

Scalar: TypeAlias = str | int | bool | None
# How many rows the verifier holds in memory at once.
VERIFY_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to whose data, why. `subject` is a pseudonym (an id), never a name or a document number."""

    actor: str
    actor_unit: str
    action: str
    subject: UUID | str
    purpose: str | None = None
    case: str | None = None
    detail: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk along the chain found: `first_bad` is the id of the first row that does not fit, with `why`."""

    rows: int
    first_bad: int | None = None
    why: str | None = None


def record(tx: Transaction, entries: Entry | Sequence[Entry], now: datetime) -> None:
    """Append entries with this transaction. They are written just before its commit, so the chain's lock is brief."""
    batch = [entries] if isinstance(entries, Entry) else list(entries)

    async def append(tx: Transaction) -> None:
        head = (await tx.execute(sa.select(audit_head).with_for_update())).one()
        last_id, previous = head.last_id, head.hash
        rows: list[dict[str, Any]] = []
        for entry in batch:
            last_id += 1
            row = _row(last_id, entry, now.astimezone(UTC), previous)
            rows.append(row)
            previous = row["hash"]
        await tx.execute(sa.insert(audit_entries), rows)
        await tx.execute(sa.update(audit_head).values(last_id=last_id, hash=previous))

    if batch:
        tx.before_commit(append)


async def verify(db: Database) -> ChainReport:
    """Walk the chain from its first row and name the first one that was changed, removed or put in.

    Rows cut off the end together with the head are found only by comparing the head with one kept elsewhere.
    """
    async with db.read() as tx:
        # A chain of years takes minutes to walk, under one snapshot.
        await tx.execute(sa.text("SET LOCAL transaction_timeout = 0"))
        count, previous = 0, b""
        async for row in _walk(tx):
            count += 1
            if row["id"] != count:
                return ChainReport(count - 1, count, "missing")
            if row["previous_hash"] != previous:
                return ChainReport(count, row["id"], "previous hash differs")
            if row["hash"] != _hash(row):
                return ChainReport(count, row["id"], "content differs")
            previous = row["hash"]
        head = await tx.one_or_none(sa.select(audit_head))
        if head is None or (head.last_id, head.hash) != (count, previous):
            return ChainReport(count, count + 1, "the head names another last row")
        return ChainReport(count)


async def _walk(tx: Transaction) -> AsyncIterator[dict[str, Any]]:
    after = 0
    while True:
        page = (
            sa.select(audit_entries).where(audit_entries.c.id > after).order_by(audit_entries.c.id).limit(VERIFY_ROWS)
        )
        rows = (await tx.execute(page)).mappings().all()
        if not rows:
            return
        for row in rows:
            yield dict(row)
        after = rows[-1]["id"]


def _row(row_id: int, entry: Entry, at: datetime, previous: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": row_id,
        "at": at,
        "actor": entry.actor,
        "actor_unit": entry.actor_unit,
        "action": entry.action,
        "purpose": entry.purpose,
        "case": entry.case,
        "subject": str(entry.subject),
        "detail": dict(entry.detail),
        "previous_hash": previous,
    }
    return {**row, "hash": _hash(row)}


def _hash(row: Mapping[str, Any]) -> bytes:
    content = {str(name): value for name, value in row.items() if name not in ("hash", "previous_hash")}
    content["at"] = row["at"].astimezone(UTC)
    canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(row["previous_hash"] + canonical).digest()
