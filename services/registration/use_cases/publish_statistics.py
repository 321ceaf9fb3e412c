"""Add up what stays changed in the counts of days, and publish each day that changed."""

from datetime import datetime

from chassis.data.db import Transaction
from services.registration import events
from services.registration.domain.stays import CITY
from services.registration.storage import statistics


async def publish_statistics(tx: Transaction, now: datetime) -> int:
    """Publish the days, kinds and divisions whose counts changed; begin today's. Return how many.

    A late entry or a correction changes an earlier day, and how many were registered on every day after it.
    """
    await statistics.lock(tx)
    await statistics.add_up(tx)
    await statistics.open_day(tx, now.astimezone(CITY).date())
    changed = await statistics.take_unpublished(tx)
    for counts in changed:
        tx.emit(events.statistics(counts))
    return len(changed)
