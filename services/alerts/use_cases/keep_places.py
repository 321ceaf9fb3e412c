"""Keeps premises and units as their owners last published them."""

from collections.abc import Collection, Sequence

from chassis.data.db import Transaction
from services.alerts.storage import premises_store, unit_store
from services.alerts.storage.premises_store import Place
from services.alerts.storage.unit_store import Unit

__all__ = ["Place", "Unit"]


async def keep_place(tx: Transaction, place: Place, version: tuple[int, int]) -> None:
    """Store premises unless a newer version is here."""
    await premises_store.keep_newer(tx, place, version)


async def known_places(tx: Transaction) -> Sequence[str]:
    """Return the keys of all premises."""
    return await premises_store.keys(tx)


async def drop_places(tx: Transaction, ids: Collection[str]) -> None:
    """Forget premises."""
    await premises_store.drop(tx, ids)


async def keep_unit(tx: Transaction, unit: Unit, version: tuple[int, int]) -> None:
    """Store a unit unless a newer version is here."""
    await unit_store.keep_newer(tx, unit, version)


async def known_units(tx: Transaction) -> Sequence[str]:
    """Return the keys of all units."""
    return await unit_store.keys(tx)


async def drop_units(tx: Transaction, ids: Collection[str]) -> None:
    """Forget units."""
    await unit_store.drop(tx, ids)
