"""An officer ends the work on an alert."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import alerts
from services.alerts.domain.alerts import Alert, Outcome
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.apply_step import apply_step


async def close_alert(
    tx: Transaction, alert_id: UUID, outcome: Outcome, reason: str, *, by: Officer, keyring: Keyring
) -> Alert:
    """Close a verified alert, or a new one as a test. Raises UnknownAlert, StepRefused."""
    return await apply_step(tx, alert_id, lambda alert, _now: alerts.close(alert, by, outcome, reason), keyring)
