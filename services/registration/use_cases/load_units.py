"""Bring the unit tree to what its file says, and publish what changed."""

from collections.abc import Sequence

from chassis.data.db import Transaction
from services.registration import events
from services.registration.domain.units import Unit
from services.registration.storage import units


async def load_units(tx: Transaction, wanted: Sequence[Unit]) -> int:
    """Save and publish each unit that is new or different, end those that are gone; return how many changed."""
    here = await units.lock_all(tx)
    changed = [unit for unit in wanted if unit.unit_id not in here or here[unit.unit_id][0] != unit]
    for unit in changed:
        version = here[unit.unit_id][1] + 1 if unit.unit_id in here else 1
        await units.save(tx, unit, version)
        tx.emit(events.unit(unit, version))
    gone = sorted(set(here) - {unit.unit_id for unit in wanted})
    if gone:
        await units.remove(tx, gone)
    for unit_id in gone:
        tx.emit(events.unit_gone(unit_id))
    return len(changed) + len(gone)
