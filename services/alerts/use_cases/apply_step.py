"""The one way in which an officer's step changes an alert: locked, with its history, its stream entry and its event."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts import events
from services.alerts.domain.alerts import Alert, Step
from services.alerts.storage import alert_store, change_store
from services.alerts.storage.change_store import AlertChange
from services.alerts.use_cases.tell_fire import tell_fire

# What a reason or note is sealed as.
REASON = "reason"


class UnknownAlert(LookupError):
    """There is no alert with this id."""


async def apply_step(
    tx: Transaction, alert_id: UUID, decide: Callable[[Alert, datetime], Step], keyring: Keyring
) -> Alert:
    """Take a step on the alert as it stands behind its lock; a repeated step changes nothing.

    Raises UnknownAlert and what `decide` raises.
    """
    alert = await alert_store.load_for_change(tx, alert_id)
    if alert is None:
        raise UnknownAlert(alert_id)
    now = await tx.database_time()
    step = decide(alert, now)
    if step.change is None:
        return alert
    reason = None
    if step.reason is not None:
        key = await keyring.subject_key(tx, alert_id, create=True)
        reason = key.seal(step.reason, REASON)
    after = step.alert
    if after != alert:
        await alert_store.save(tx, after)
    change = AlertChange(alert_id, now, step.change, step.by, step.detail, reason, after.severity, after.state)
    change_store.record_changes(tx, [change])
    emission = events.alert_changed(after, step.change, now)
    if emission is not None:
        tx.emit(emission)
    await tell_fire(tx, alert, after, now)
    return after
