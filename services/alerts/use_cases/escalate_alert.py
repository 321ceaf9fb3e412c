"""An officer raises an alert's level, beside its state."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import alerts
from services.alerts.domain.alerts import Alert
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.apply_step import apply_step


async def escalate_alert(tx: Transaction, alert_id: UUID, reason: str, *, by: Officer, keyring: Keyring) -> Alert:
    """Escalate an open alert by one level. Raises UnknownAlert, StepRefused."""
    return await apply_step(tx, alert_id, lambda alert, _now: alerts.escalate(alert, by, reason), keyring)
