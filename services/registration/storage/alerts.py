"""Which alerts a stay has, as alerts published them."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared
from services.registration.storage.tables import OPEN_ALERTS, stay_alerts

_INSERT = insert(stay_alerts)
_NOTE = Prepared(
    _INSERT.on_conflict_do_update(
        index_elements=["alert_id"],
        set_={name: _INSERT.excluded[name] for name in ("stay_id", "state", "changed_at")},
    ),
    [column.name for column in stay_alerts.c],
)


async def note(tx: Transaction, *, alert_id: UUID, stay_id: UUID, state: str, changed_at: datetime) -> None:
    """Keep an alert's present state. Its events come in order: they share a key."""
    await tx.run(_NOTE, {"alert_id": alert_id, "stay_id": stay_id, "state": state, "changed_at": changed_at})


async def state_of(tx: Transaction, alert_id: UUID, stay_id: UUID) -> str | None:
    """Return the state of an alert of this stay; None when the stay has no such alert."""
    state: str | None = await tx.scalar(
        sa.select(stay_alerts.c.state).where(stay_alerts.c.alert_id == alert_id, stay_alerts.c.stay_id == stay_id)
    )
    return state


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete which stay an alert had that was closed, cleared or retracted at `cut_off` or before."""
    old = sa.select(stay_alerts.c.alert_id).where(
        stay_alerts.c.state.not_in(OPEN_ALERTS), stay_alerts.c.changed_at <= cut_off
    )
    old = old.order_by(stay_alerts.c.changed_at).limit(limit).with_for_update(skip_locked=True)
    return (await tx.execute(sa.delete(stay_alerts).where(stay_alerts.c.alert_id.in_(old)))).rowcount
