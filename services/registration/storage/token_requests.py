"""How many matching tokens an author was given in the present hour."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from services.registration.storage.tables import token_requests

# Older counts are of no use; the audit log has each request.
KEPT_FOR = timedelta(days=1)


async def count(tx: Transaction, author: str, limit: int, now: datetime) -> bool:
    """Count one more request in the hour of `now`; False when the limit is reached."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    counted = await tx.scalar(
        insert(token_requests)
        .values(hour=hour, author=author, given=1)
        .on_conflict_do_update(
            index_elements=["hour", "author"],
            set_={"given": token_requests.c.given + 1},
            where=token_requests.c.given < limit,
        )
        .returning(token_requests.c.given)
    )
    return counted is not None


async def forget_old(tx: Transaction, now: datetime) -> None:
    """Delete counts of past days."""
    await tx.execute(sa.delete(token_requests).where(token_requests.c.hour < now - KEPT_FOR))
