"""Read what housing's states were last published as, so that they can be compared with their topics."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from chassis.data.db import Transaction
from services.housing.domain.premises import Premises
from services.housing.domain.statistics import DayCounts
from services.housing.storage import premises, statistics


async def premises_ids(tx: Transaction) -> Sequence[UUID]:
    """Return the ids of all premises, stubs too."""
    return await premises.published(tx)


async def whole_premises(tx: Transaction, ids: Collection[UUID], *, lock: bool) -> Sequence[Premises]:
    """Return premises with rooms, open hazards and letter; with `lock` nobody changes them meanwhile."""
    # In one order, so that two who hold several do not wait for each other.
    found = [await premises.find(tx, each, for_change=lock) for each in sorted(ids)]
    return [each for each in found if each is not None]


async def counted_days(tx: Transaction) -> Sequence[tuple[date, str, str]]:
    """Return of which day, division and kind counts were published."""
    return await statistics.every(tx)


async def counts(tx: Transaction, keys: Collection[tuple[date, str, str]], *, lock: bool) -> Sequence[DayCounts]:
    """Return published counts; with `lock` nobody counts before the transaction ends."""
    if lock:
        await statistics.lock(tx)
    return await statistics.several(tx, keys)
