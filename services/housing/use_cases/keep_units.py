"""Keep the organisation's units, which say who is responsible for which premises."""

from collections.abc import Collection, Sequence

from chassis.data.db import Transaction
from services.housing.domain.units import Unit
from services.housing.storage import units


async def keep_units(tx: Transaction, changed: Sequence[tuple[Unit, tuple[int, int]]], ended: Collection[str]) -> None:
    """Keep newer units, each with its version (epoch, number); drop those that registration no longer publishes."""
    await units.put(tx, changed)
    if ended:
        await units.drop(tx, ended)
