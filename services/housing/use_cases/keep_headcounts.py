"""Keep how many people registration says are registered at premises."""

from collections.abc import Collection, Sequence
from uuid import UUID

from chassis.data.db import Transaction
from services.housing.domain.headcounts import Headcount
from services.housing.storage import headcounts


async def keep_headcounts(tx: Transaction, counts: Sequence[Headcount], ended: Collection[UUID]) -> None:
    """Keep newer headcounts; drop those that registration no longer publishes."""
    await headcounts.put(tx, counts)
    if ended:
        await headcounts.drop(tx, ended)
