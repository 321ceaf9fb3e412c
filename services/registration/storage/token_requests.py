"""How many matching tokens an author was given in the present hour."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from services.registration.storage.tables import token_requests


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


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete counts of hours that began at `cut_off` or before: they are of no use, and the audit has each request."""
    key = sa.tuple_(token_requests.c.hour, token_requests.c.author)
    old = sa.select(token_requests.c.hour, token_requests.c.author).where(token_requests.c.hour <= cut_off)
    old = old.order_by(token_requests.c.hour).limit(limit).with_for_update(skip_locked=True)
    return (await tx.execute(sa.delete(token_requests).where(key.in_(old)))).rowcount
