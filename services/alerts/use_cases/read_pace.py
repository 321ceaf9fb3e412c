"""How soon today's alerts were taken on and worked through: median and ninth decile."""

from datetime import datetime, time

from chassis.data.db import Transaction
from services.alerts.domain.alerts import CITY_TIME, city_day
from services.alerts.storage import pace_store
from services.alerts.storage.pace_store import Pace

__all__ = ["Pace"]


async def read_pace(tx: Transaction) -> Pace:
    """Return how soon alerts were worked on since the city's midnight."""
    today = city_day(await tx.database_time())
    return await pace_store.since(tx, datetime.combine(today, time.min, CITY_TIME))
