"""`Idempotency-Key` at HTTP's side: the header, the answer that is given again, and how to tell that it was."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chassis.data.idempotency import KeptAnswer, Turn, answered, once
from chassis.web.access import Caller
from chassis.web.problems import Problem

KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")


@asynccontextmanager
async def once_for(request: Request, caller: Caller) -> AsyncIterator[Turn]:
    """Open the transaction of a POST, in which it takes effect at most once under the caller's key.

    When `turn.answer` is set, it was answered before: do nothing. Else work in `turn.tx` and `turn.keep(201, …)`.
    Raises Problem 400 without a proper key, KeyReused (422) for a key that came with another request.
    """
    async with once(request.app.state.db, now=datetime.now(UTC), **await _identity(request, caller)) as turn:
        yield turn


async def answered_before(request: Request, caller: Caller) -> Response | None:
    """Return the answer that this POST got before, if any: for a route that asks another service before its turn.

    Raises Problem 400 without a proper key, KeyReused (422) for a key that came with another request.
    """
    kept = await answered(request.app.state.db, **await _identity(request, caller))
    return _response(kept) if kept else None


def answer(turn: Turn) -> Response:
    """Return the kept answer, after the block: the commit has succeeded, or the request was answered before."""
    kept = turn.answer
    if kept is None:
        raise RuntimeError("answer() before the turn kept one")
    return _response(kept)


async def _identity(request: Request, caller: Caller) -> dict[str, Any]:
    keys = request.headers.getlist("idempotency-key")
    if len(keys) != 1 or not KEY.match(keys[0]):
        raise Problem(400, "idempotency-key-required")
    return {
        "key": keys[0],
        "caller": caller.subject,
        "operation": f"{request.method} {request.scope['path']}",
        "body": await request.body(),
        "secret": request.app.state.idempotency_secret,
    }


def _response(kept: KeptAnswer) -> Response:
    headers = {**kept.headers, **({"idempotency-replayed": "true"} if kept.replayed else {})}
    return Response(kept.body, kept.status, headers, "application/json")
