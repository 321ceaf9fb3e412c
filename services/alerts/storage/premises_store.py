"""Keeps what alerts shows of premises: kind, address and division, as housing last published them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared
from services.alerts.storage.tables import premises

_PLACES = Prepared(
    sa.select(premises).where(premises.c.premises_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid))))
)


@dataclass(frozen=True, slots=True)
class Place:
    """Premises as the board names them."""

    premises_id: UUID
    kind: str
    address: str
    division_code: str


async def keep_newer(tx: Transaction, place: Place, version: tuple[int, int]) -> None:
    """Store a place unless a newer version is here already."""
    row = insert(premises).values(
        premises_id=place.premises_id,
        kind=place.kind,
        address=place.address,
        division_code=place.division_code,
        epoch=version[0],
        number=version[1],
    )
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=["premises_id"],
            set_={name: row.excluded[name] for name in ("kind", "address", "division_code", "epoch", "number")},
            where=sa.tuple_(premises.c.epoch, premises.c.number) < sa.tuple_(row.excluded.epoch, row.excluded.number),
        )
    )


async def places(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Place]:
    """Return the places that are known."""
    rows = await tx.fetch(_PLACES, {"ids": list(ids)})
    return {row.premises_id: Place(row.premises_id, row.kind, row.address, row.division_code) for row in rows}


async def keys(tx: Transaction) -> Sequence[str]:
    """Return the ids of all places."""
    return [str(row[0]) for row in await tx.all(sa.select(premises.c.premises_id))]


async def drop(tx: Transaction, ids: Collection[str]) -> None:
    """Forget places."""
    # As text: a key that is no id at all is nobody's, and no reason to stop.
    await tx.execute(sa.delete(premises).where(sa.cast(premises.c.premises_id, sa.Text).in_(ids)))
