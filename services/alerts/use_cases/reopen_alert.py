"""An officer begins again with a closed alert."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import alerts
from services.alerts.domain.alerts import Alert
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.apply_step import apply_step


async def reopen_alert(tx: Transaction, alert_id: UUID, reason: str, *, by: Officer, keyring: Keyring) -> Alert:
    """Make a closed alert new, without an owner. Raises UnknownAlert, StepRefused."""
    return await apply_step(tx, alert_id, lambda alert, now: alerts.reopen(alert, by, reason, now), keyring)
