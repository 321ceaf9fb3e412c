"""An officer offers what they answer for to whoever comes after them."""

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain.handovers import Handover, HandoverRefused
from services.alerts.domain.officers import Officer
from services.alerts.storage import handover_store

# What a handover's note is sealed as.
NOTE = "handover_note"


async def offer_handover(tx: Transaction, note: str, *, by: Officer, keyring: Keyring) -> Handover:
    """Offer all open alerts that `by` answers for, as they will be when somebody takes them.

    Raises HandoverRefused when an offer of theirs is open.
    """
    handover_id = uuid7()
    key = await keyring.create(tx, handover_id)
    offer = Handover(handover_id, by, await tx.database_time(), key.seal(note, NOTE))
    if not await handover_store.insert_unless_open(tx, offer):
        raise HandoverRefused("already-offered")
    return offer
