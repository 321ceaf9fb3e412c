"""Forgets premises that housing publishes no more."""

from collections.abc import Collection

from chassis.data.db import Transaction
from services.alerts.storage import premises_store


async def forget_places(tx: Transaction, ids: Collection[str]) -> None:
    """Drop premises by their keys."""
    await premises_store.drop(tx, ids)
