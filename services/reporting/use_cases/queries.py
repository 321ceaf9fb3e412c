"""What reporting is asked: so far only since when its books are open."""

from datetime import datetime

from chassis.data.db import Transaction
from services.reporting.storage import opening


async def opened_at(tx: Transaction) -> datetime:
    """Return the moment from which figures can stand here, UTC."""
    return await opening.opened_at(tx)
