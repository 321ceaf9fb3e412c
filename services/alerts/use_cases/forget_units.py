"""Forgets units that registration publishes no more."""

from collections.abc import Collection

from chassis.data.db import Transaction
from services.alerts.storage import unit_store


async def forget_units(tx: Transaction, ids: Collection[str]) -> None:
    """Drop units by their ids."""
    await unit_store.drop(tx, ids)
