"""Keeps a unit as registration last published it."""

from chassis.data.db import Transaction
from services.alerts.storage import unit_store
from services.alerts.storage.unit_store import Unit

__all__ = ["Unit"]


async def keep_unit(tx: Transaction, unit: Unit, version: tuple[int, int]) -> None:
    """Store a unit unless a newer version is here."""
    await unit_store.keep_newer(tx, unit, version)
