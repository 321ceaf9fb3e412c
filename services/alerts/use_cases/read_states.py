"""Read what the states of alerts were last published as, so that they can be compared with their topics."""

from collections.abc import Collection, Sequence
from datetime import date

from chassis.data.db import Transaction
from services.alerts.domain.statistics import DayCounts
from services.alerts.storage import statistics


async def counted_days(tx: Transaction) -> Sequence[tuple[date, str, str]]:
    """Return of which day, division and kind counts were published."""
    return await statistics.every(tx)


async def counts(tx: Transaction, keys: Collection[tuple[date, str, str]], *, lock: bool) -> Sequence[DayCounts]:
    """Return published counts; with `lock` nobody counts before the transaction ends."""
    if lock:
        await statistics.lock(tx)
    return await statistics.several(tx, keys)
