"""Keep which alerts a stay has, so that the officer of one may read that stay."""

from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from services.registration.storage import alerts


async def note_alert(tx: Transaction, *, alert_id: UUID, stay_id: UUID, state: str, changed_at: datetime) -> None:
    """Keep the alert's present state."""
    await alerts.note(tx, alert_id=alert_id, stay_id=stay_id, state=state, changed_at=changed_at)
