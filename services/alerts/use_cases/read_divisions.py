"""Where divisions lie, as their premises show it."""

from collections.abc import Sequence

from chassis.data.db import Transaction
from services.alerts.storage import division_store
from services.alerts.storage.division_store import Division

__all__ = ["Division"]


async def read_divisions(tx: Transaction) -> Sequence[Division]:
    """Return where divisions lie. Reads all premises: keep the answer."""
    return await division_store.outlines(tx)
