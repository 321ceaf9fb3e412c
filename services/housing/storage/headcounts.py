"""How many people are registered at premises, as registration published it last."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared
from services.housing.domain.headcounts import Headcount
from services.housing.storage.tables import headcounts

_VALUES = ("headcount", "version_epoch", "version_number")
_NEW = insert(headcounts)
_PUT = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=["premises_id"],
        set_={name: _NEW.excluded[name] for name in _VALUES},
        where=sa.tuple_(headcounts.c.version_epoch, headcounts.c.version_number)
        < sa.tuple_(_NEW.excluded.version_epoch, _NEW.excluded.version_number),
    ),
    ["premises_id", *_VALUES],
)


async def put(tx: Transaction, counts: Sequence[Headcount]) -> None:
    """Keep each headcount that is newer than the one kept; one premises stands in `counts` at most once."""
    if not counts:
        return
    rows = [
        {
            "premises_id": count.premises_id,
            "headcount": count.headcount,
            "version_epoch": count.version[0],
            "version_number": count.version[1],
        }
        for count in counts
    ]
    await tx.execute_many(_PUT, rows)


async def of(tx: Transaction, premises_id: UUID) -> int:
    """Return the headcount; premises of which registration said nothing have nobody registered."""
    query = sa.select(headcounts.c.headcount).where(headcounts.c.premises_id == premises_id)
    return await tx.scalar(query) or 0


async def keys(tx: Transaction) -> list[str]:
    """Return the premises ids of which a headcount is kept, as the topic's keys."""
    return [str(row.premises_id) for row in await tx.all(sa.select(headcounts.c.premises_id))]


async def drop(tx: Transaction, ids: Collection[UUID]) -> None:
    """Forget headcounts."""
    await tx.execute(sa.delete(headcounts).where(headcounts.c.premises_id.in_(ids)))
