"""An officer looks at the person of an alert: registration shows the person, the history keeps that they looked."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain.alerts import Alert, Change, Step
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.apply_step import apply_step


async def note_view(tx: Transaction, alert_id: UUID, *, by: Officer, keyring: Keyring) -> Alert:
    """Write the look into the alert's history. Raises UnknownAlert."""
    return await apply_step(tx, alert_id, lambda alert, _now: Step(alert, Change.VIEWED, by), keyring)
