"""The next officer takes a shift over: every open alert of the one before becomes theirs, in one transaction."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import handovers
from services.alerts.domain.handovers import OWNED, Handover
from services.alerts.domain.officers import Officer
from services.alerts.storage import alert_store, handover_store
from services.alerts.storage.alert_store import AlertFilter
from services.alerts.use_cases.apply_step import apply_step

# More open alerts than one officer ever answered for; a bound for the one transaction in which all change hands.
MOST = 1_000


class UnknownHandover(LookupError):
    """There is no handover with this id."""


async def take_handover(tx: Transaction, handover_id: UUID, *, by: Officer, keyring: Keyring) -> Handover:
    """Make `by` the owner of the giver's alerts. Raises UnknownHandover, HandoverRefused."""
    offer = await handover_store.load_for_change(tx, handover_id)
    if offer is None:
        raise UnknownHandover(handover_id)
    wanted = AlertFilter(states=OWNED, owner=offer.giver.subject)
    theirs = [each.alert_id for each in await alert_store.list_urgent(tx, wanted, limit=MOST)]
    taken = handovers.take(offer, by, len(theirs), await tx.database_time())
    if taken == offer:
        return offer
    # In the order of their ids, as whoever locks several alerts does.
    for alert_id in sorted(theirs):
        await apply_step(tx, alert_id, lambda alert, _now: handovers.reassign(alert, offer.giver, by), keyring)
    await handover_store.save(tx, taken)
    return taken
