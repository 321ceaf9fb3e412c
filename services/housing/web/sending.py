"""A page's form takes effect once, however often it is sent: its key stands in the form."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import Request
from pydantic import BaseModel

from chassis.data.db import Transaction
from chassis.data.idempotency import once
from chassis.web.access import Caller
from services.housing.domain.units import Actor
from services.housing.use_cases import queries

Act = Callable[[Transaction, Actor, datetime], Awaitable[Mapping[str, Any]]]


async def send(request: Request, caller: Caller, key: str, body: BaseModel, act: Act) -> dict[str, Any]:
    """Do what a form asks, in a transaction, and return what it answered; a repeat returns the first answer."""
    now = datetime.now(UTC)
    async with once(
        request.app.state.db,
        key=key,
        caller=caller.subject,
        operation=f"POST {request.url.path}",
        body=body.model_dump_json().encode(),
        secret=request.app.state.idempotency_secret,
        now=now,
    ) as turn:
        if turn.answer is None:
            who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
            turn.keep(201, await act(turn.tx, who, now))
    assert turn.answer is not None
    return dict(orjson.loads(turn.answer.body))
