"""When counts came last, by who published them."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from services.reporting.domain.read_models import Owner
from services.reporting.storage.tables import arrivals_of_counts


async def note(tx: Transaction, owner: Owner) -> None:
    """Note that counts of an owner came now, by the database's clock."""
    new = insert(arrivals_of_counts).values(owner=owner.value, arrived_at=sa.func.now())
    await tx.execute(new.on_conflict_do_update(index_elements=["owner"], set_={"arrived_at": new.excluded.arrived_at}))


async def last(tx: Transaction, owner: Owner) -> datetime | None:
    """Return when counts of an owner came last, UTC; None while none has come."""
    query = sa.select(arrivals_of_counts.c.arrived_at).where(arrivals_of_counts.c.owner == owner.value)
    at: datetime | None = await tx.scalar(query)
    return at.astimezone(UTC) if at else None
