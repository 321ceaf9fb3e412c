"""The audit chain: every read of personal data and every decision, append-only and linked by hashes."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import sqlalchemy as sa

from chassis.data.db import Database, Transaction
from chassis.data.encryption import Keyring
from chassis.data.tables import audit_cut, audit_entries, audit_head

Scalar: TypeAlias = str | int | bool | None
# How many rows the verifier holds in memory at once.
VERIFY_ROWS = 2_000
MISSING = "missing"


class BrokenChain(Exception):
    """The oldest entries do not fit the chain; they are evidence and stay."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(f"row {row}: {why}")


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


async def verify(db: Database, keyring: Keyring) -> ChainReport:
    """Walk the chain from its first row and name the first one that was changed, removed or put in.

    Where entries past their term were removed it begins behind them, if `forget` says so. Rows cut off the end together
    with the head are found only by comparing the head with one kept elsewhere.
    """
    async with db.read() as tx:
        # A chain of years takes minutes to walk, under one snapshot.
        await tx.execute(sa.text("SET LOCAL transaction_timeout = 0"))
        cut = await tx.one_or_none(sa.select(audit_cut))
        if cut is None or not _was_cut_by_us(cut, keyring):
            return ChainReport(0, 1, "missing, and not removed by this service")
        count, last, previous = 0, cut.last_id, cut.hash
        async for row in _walk(tx):
            why = _misfit(row, last, previous)
            if why is not None:
                return ChainReport(count, last + 1 if why == MISSING else row["id"], why)
            count, last, previous = count + 1, row["id"], row["hash"]
        head = await tx.one_or_none(sa.select(audit_head))
        if head is None or (head.last_id, head.hash) != (last, previous):
            return ChainReport(count, last + 1, "the head names another last row")
        return ChainReport(count)


async def forget(tx: Transaction, cut_off: datetime, limit: int, *, keyring: Keyring) -> int:
    """Remove entries of `cut_off` and before from the chain's beginning, at most `limit`; return how many.

    What is removed must fit the chain, so that a change is not forgotten with it. Raises BrokenChain.
    """
    cut = (await tx.execute(sa.select(audit_cut).with_for_update())).one()
    if not _was_cut_by_us(cut, keyring):
        raise BrokenChain(1, "missing, and not removed by this service")
    oldest = (await tx.execute(sa.select(audit_entries).order_by(audit_entries.c.id).limit(limit))).mappings().all()
    gone = list(takewhile(lambda row: row["at"] <= cut_off, oldest))
    last, previous = cut.last_id, cut.hash
    for row in gone:
        why = _misfit(row, last, previous)
        if why is not None:
            raise BrokenChain(last + 1, why)
        last, previous = row["id"], row["hash"]
    if gone:
        key, proof = keyring.attest(_cut_text(last, previous))
        await tx.execute(sa.update(audit_cut).values(last_id=last, hash=previous, wrapping_key=key, proof=proof))
        await tx.execute(sa.delete(audit_entries).where(audit_entries.c.id <= last))
    return len(gone)


async def prove_again(tx: Transaction, keyring: Keyring) -> None:
    """Prove by the active key what an older one proved of the chain's beginning. Raises BrokenChain."""
    cut = (await tx.execute(sa.select(audit_cut).with_for_update())).one()
    if not _was_cut_by_us(cut, keyring):
        raise BrokenChain(1, "missing, and not removed by this service")
    if cut.wrapping_key not in ("", keyring.active):
        key, proof = keyring.attest(_cut_text(cut.last_id, cut.hash))
        await tx.execute(sa.update(audit_cut).values(wrapping_key=key, proof=proof))


def _was_cut_by_us(cut: sa.Row[Any], keyring: Keyring) -> bool:
    whole = (cut.last_id, cut.hash) == (0, b"")
    return whole or keyring.attested(_cut_text(cut.last_id, cut.hash), cut.wrapping_key, cut.proof)


def _cut_text(last_id: int, last_hash: bytes) -> bytes:
    return b"audit-cut\0%d\0%s" % (last_id, last_hash)


def _misfit(row: Mapping[Any, Any], last: int, previous: bytes) -> str | None:
    """Why a row does not follow the row `last` with the hash `previous`."""
    if row["id"] != last + 1:
        return MISSING
    if row["previous_hash"] != previous:
        return "previous hash differs"
    return None if row["hash"] == _hash(row) else "content differs"


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
