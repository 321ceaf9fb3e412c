"""Forget premises that housing no longer publishes."""

from collections.abc import Collection

from chassis.data.db import Transaction
from services.registration.storage import premises


async def forget_premises(tx: Transaction, gone: Collection[str]) -> None:
    """Forget the premises with these keys; stays there remain and can be closed."""
    await premises.drop(tx, gone)
