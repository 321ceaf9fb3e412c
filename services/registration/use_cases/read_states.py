"""Read what registration's states were last published as, so that they can be compared with their topics."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from chassis.data.db import Transaction
from services.registration.domain.statistics import DayCounts
from services.registration.domain.units import Unit
from services.registration.storage import occupancy, statistics, units
from services.registration.storage.occupancy import Occupancy


async def premises_with_headcount(tx: Transaction) -> Sequence[UUID]:
    """Return the premises whose headcount was ever published."""
    return await occupancy.published(tx)


async def headcounts(tx: Transaction, premises_ids: Collection[UUID], *, lock: bool) -> Sequence[Occupancy]:
    """Return published headcounts; with `lock` nobody arrives or departs before the transaction ends."""
    return await occupancy.several(tx, premises_ids, for_change=lock)


async def unit_tree(tx: Transaction, *, lock: bool = False) -> dict[str, tuple[Unit, int]]:
    """Return every unit with its version."""
    return await (units.lock_all(tx) if lock else units.every(tx))


async def counted_days(tx: Transaction) -> Sequence[tuple[date, str, str]]:
    """Return of which day, division and kind counts were published."""
    return await statistics.published(tx)


async def counts(tx: Transaction, keys: Collection[tuple[date, str, str]], *, lock: bool) -> Sequence[DayCounts]:
    """Return published counts; with `lock` nobody adds up before the transaction ends."""
    if lock:
        await statistics.lock(tx)
    return await statistics.several(tx, keys)
