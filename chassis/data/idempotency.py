"""Idempotency keys: a request that comes twice takes effect once and gets the first answer again."""

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Database, Transaction
from chassis.data.prepared import Prepared
from chassis.data.tables import idempotency_keys

_CLAIM = Prepared(
    insert(idempotency_keys).on_conflict_do_nothing(index_elements=["id"]).returning(idempotency_keys.c.id),
    ["id", "request_mac", "created_at"],
)
_KEEP = Prepared(
    sa.update(idempotency_keys).where(idempotency_keys.c.id == sa.bindparam("row_id")), ["status", "headers", "body"]
)


class KeyReused(Exception):
    """The caller sent this key before, with another request."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was given the first time."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    replayed: bool


@dataclass(slots=True)
class Turn:
    """One request's turn under its key. `answer` is set when the request was answered before: then do nothing."""

    tx: Transaction
    answer: KeptAnswer | None = None
    _kept: KeptAnswer | None = field(default=None, init=False)

    def keep(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        """Set the answer that is stored with the effects; only 2xx is an effect."""
        if not 200 <= status <= 299:
            raise ValueError("only a 2xx answer can be kept")
        self.answer = self._kept = KeptAnswer(status, headers or {}, orjson.dumps(body), replayed=False)


@asynccontextmanager
async def once(
    db: Database, *, key: str, caller: str, operation: str, body: bytes, secret: bytes, now: datetime
) -> AsyncIterator[Turn]:
    """Open a transaction in which the request of `caller` under `key` takes effect at most once.

    `operation` names the call (method and path). A twin waits for the first to end. The table holds keyed MACs only,
    since a key or body may carry a person's data. Raises KeyReused when the key came with another request; an error
    inside the block leaves nothing behind, so the request may be sent again.
    """
    row_id = _mac(secret, caller, key.encode())
    request_mac = _mac(secret, operation, body)
    async with db.transaction() as tx:
        turn = Turn(tx, await _claim(tx, row_id, request_mac, now))
        yield turn
        if turn._kept is not None:
            kept = {"status": turn._kept.status, "headers": dict(turn._kept.headers), "body": turn._kept.body}
            await tx.run(_KEEP, {"row_id": row_id, **kept})
        elif turn.answer is None:
            raise RuntimeError("a turn ended without an answer to keep")


async def answered(
    db: Database, *, key: str, caller: str, operation: str, body: bytes, secret: bytes
) -> KeptAnswer | None:
    """Return the answer that the request got before, if any: for a call that asks another service before its turn.

    A twin that is still at work has none yet. Raises KeyReused when the key came with another request.
    """
    async with db.read() as tx:
        return await _kept(tx, _mac(secret, caller, key.encode()), _mac(secret, operation, body))


async def _claim(tx: Transaction, row_id: bytes, request_mac: bytes, now: datetime) -> KeptAnswer | None:
    if await tx.fetch(_CLAIM, {"id": row_id, "request_mac": request_mac, "created_at": now}):
        return None
    kept = await _kept(tx, row_id, request_mac)
    if kept is None:
        raise KeyReused
    return kept


async def _kept(tx: Transaction, row_id: bytes, request_mac: bytes) -> KeptAnswer | None:
    row = await tx.one_or_none(sa.select(idempotency_keys).where(idempotency_keys.c.id == row_id))
    if row is None:
        return None
    if not hmac.compare_digest(row.request_mac, request_mac):
        raise KeyReused
    return KeptAnswer(row.status, row.headers, row.body, replayed=True)


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete answers of `cut_off` and before, at most `limit`; return how many."""
    old = sa.select(idempotency_keys.c.id).where(idempotency_keys.c.created_at <= cut_off)
    old = old.order_by(idempotency_keys.c.created_at).limit(limit).with_for_update(skip_locked=True)
    return (await tx.execute(sa.delete(idempotency_keys).where(idempotency_keys.c.id.in_(old)))).rowcount


def _mac(secret: bytes, label: str, content: bytes) -> bytes:
    return hmac.digest(secret, label.encode() + b"\0" + content, "sha256")
