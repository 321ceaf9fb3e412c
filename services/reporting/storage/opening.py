"""When reporting's books were opened."""

from datetime import UTC, datetime

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.reporting.storage.tables import opening


async def opened_at(tx: Transaction) -> datetime:
    """Return the moment, UTC."""
    at: datetime = (await tx.execute(sa.select(opening.c.opened_at))).scalar_one()
    return at.astimezone(UTC)
