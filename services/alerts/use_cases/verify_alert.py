"""An officer writes down what the check on the spot found."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import alerts
from services.alerts.domain.alerts import Alert
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.apply_step import apply_step


async def verify_alert(
    tx: Transaction, alert_id: UUID, finding: str, reason: str, *, by: Officer, keyring: Keyring
) -> Alert:
    """Verify an acknowledged alert. Raises UnknownAlert, UnknownFinding, StepRefused."""
    return await apply_step(tx, alert_id, lambda alert, now: alerts.verify(alert, by, finding, reason, now), keyring)
