"""An owner no longer publishes counts of some days: forget them."""

from collections.abc import Collection
from datetime import date

from chassis.data.db import Transaction
from services.reporting.domain.read_models import Owner
from services.reporting.storage import days


async def forget_counts(tx: Transaction, owner: Owner, gone: Collection[tuple[date, str, str]]) -> None:
    """Forget days by day, division and kind."""
    await days.drop(tx, owner, gone)
