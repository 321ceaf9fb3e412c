"""A clerk cannot find the premises: enter a stub, where people can be registered at once, and hand it to housing."""

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from services.registration import events
from services.registration.domain.access import Actor, check_reach
from services.registration.domain.premises import Premises, StubEntry, stub
from services.registration.storage import premises, units


async def stub_premises(tx: Transaction, entry: StubEntry, *, actor: Actor) -> Premises:
    """Enter premises to be inspected; housing need not be up. Raises OutsideArea, Refused (`/address`)."""
    check_reach(actor, await units.areas(tx, actor.unit), entry.division_code, None)
    entered = stub(uuid7(), entry)
    await premises.apply(tx, [(entered, premises.OWN)])
    tx.emit(events.premises_stubbed(entered, await tx.database_time()))
    return entered
