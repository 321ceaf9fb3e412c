"""How many handovers wait to be taken: the board says so beside its link."""

from chassis.data.db import Transaction
from services.alerts.storage import handover_store


async def count_offered(tx: Transaction, reader: str) -> int:
    """Return how many offers of others wait for somebody."""
    return await handover_store.count_offered(tx, reader)
