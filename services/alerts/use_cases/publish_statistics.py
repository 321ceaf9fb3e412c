"""Count the days anew, and publish those that changed."""

from datetime import datetime

from chassis.data.db import Transaction
from services.alerts import events
from services.alerts.domain.statistics import changed_days, city_day, first_day
from services.alerts.storage import statistics


async def publish_statistics(tx: Transaction, now: datetime) -> int:
    """Publish the days, kinds and divisions whose counts changed, late and corrected entries too. Return how many.

    Alerts are few: counting them anew is simpler than following each of their steps back and forth.
    """
    await statistics.lock(tx)
    today = city_day(now)
    published = await statistics.published(tx, first_day(today))
    changed = changed_days(await statistics.sums(tx), published, today)
    for key, counts in changed.items():
        tx.emit(events.statistics(await statistics.save(tx, key, counts)))
    return len(changed)
