"""Open closed premises again."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from services.housing import events
from services.housing.domain.closures import WrongState
from services.housing.domain.premises import Premises, entrusted
from services.housing.domain.units import Actor
from services.housing.storage import closures as closures_store
from services.housing.storage import premises as premises_store


async def reopen_premises(tx: Transaction, premises_id: UUID, reason: str, actor: Actor, *, now: datetime) -> Premises:
    """Open the premises and publish it. Raises UnknownPremises, OutsideArea and WrongState."""
    premises = entrusted(actor, await premises_store.find(tx, premises_id, for_change=True))
    if premises.status != "closed":
        raise WrongState(premises.status)
    await closures_store.end(tx, premises_id, reason, actor, now)
    opened = replace(premises, status="open", version=premises.version + 1)
    await premises_store.change(tx, opened)
    tx.emit(events.premises_reopened(opened, now))
    tx.emit(events.premises_changed(opened))
    return opened
