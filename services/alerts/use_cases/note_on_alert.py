"""An officer writes a note into an alert's history."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import alerts
from services.alerts.domain.alerts import Alert
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.apply_step import apply_step


async def note_on_alert(tx: Transaction, alert_id: UUID, text: str, *, by: Officer, keyring: Keyring) -> Alert:
    """Keep a note, in any state. Raises UnknownAlert."""
    return await apply_step(tx, alert_id, lambda alert, _now: alerts.note(alert, by, text), keyring)
