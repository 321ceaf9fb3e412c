"""An officer takes an offered handover back: they stay on duty, or want to write another word."""

from uuid import UUID

from chassis.data.db import Transaction
from services.alerts.domain import handovers
from services.alerts.domain.handovers import Handover
from services.alerts.domain.officers import Officer
from services.alerts.storage import handover_store
from services.alerts.use_cases.take_handover import UnknownHandover


async def withdraw_handover(tx: Transaction, handover_id: UUID, *, by: Officer) -> Handover:
    """End the offer. Raises UnknownHandover, HandoverRefused."""
    offer = await handover_store.load_for_change(tx, handover_id)
    if offer is None:
        raise UnknownHandover(handover_id)
    ended = handovers.withdraw(offer, by, await tx.database_time())
    await handover_store.save(tx, ended)
    return ended
