"""Keeps premises as housing last published them."""

from chassis.data.db import Transaction
from services.alerts.storage import premises_store
from services.alerts.storage.premises_store import Place

__all__ = ["Place"]


async def keep_place(tx: Transaction, place: Place, version: tuple[int, int]) -> None:
    """Store premises unless a newer version is here."""
    await premises_store.keep_newer(tx, place, version)
