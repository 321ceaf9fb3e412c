"""An officer takes an alert on, or over from another with a reason."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import alerts
from services.alerts.domain.alerts import Alert
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.apply_step import apply_step


async def acknowledge_alert(
    tx: Transaction, alert_id: UUID, reason: str | None, *, by: Officer, keyring: Keyring
) -> Alert:
    """Make `by` the owner. Raises UnknownAlert, StepRefused."""
    return await apply_step(tx, alert_id, lambda alert, now: alerts.acknowledge(alert, by, reason, now), keyring)
