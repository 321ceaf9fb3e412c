"""Close premises: nobody may live there any more, and who closes says how many people do."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from services.housing import events
from services.housing.domain.closures import Closure, close
from services.housing.domain.premises import entrusted
from services.housing.domain.units import Actor
from services.housing.storage import closures as closures_store
from services.housing.storage import headcounts as headcounts_store
from services.housing.storage import premises as premises_store


async def close_premises(
    tx: Transaction, premises_id: UUID, reason: str, confirmed: int, actor: Actor, *, now: datetime
) -> Closure:
    """Close open premises and publish it; `confirmed` is how many people the closer knows to live there.

    Raises UnknownPremises, OutsideArea, WrongState and HeadcountDiffers.
    """
    premises = entrusted(actor, await premises_store.find(tx, premises_id, for_change=True))
    headcount = await headcounts_store.of(tx, premises_id)
    closure = close(uuid7(), premises.status, headcount, confirmed, reason, now)
    await closures_store.add(tx, premises_id, closure, actor)
    closed = replace(premises, status="closed", version=premises.version + 1)
    await premises_store.change(tx, closed)
    tx.emit(events.premises_closed(closed, closure.closed_at))
    tx.emit(events.premises_changed(closed))
    return closure
