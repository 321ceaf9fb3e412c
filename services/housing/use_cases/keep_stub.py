"""Keep premises that a clerk entered at registration because nobody could find them."""

from chassis.data.db import Transaction
from services.housing import events
from services.housing.domain.premises import Premises
from services.housing.storage import premises as premises_store


async def keep_stub(tx: Transaction, new: Premises) -> None:
    """Keep a stub and publish it; one that is known already, completed or not, stays as it is."""
    if await premises_store.add_stub(tx, new):
        tx.emit(events.premises_changed(new))
