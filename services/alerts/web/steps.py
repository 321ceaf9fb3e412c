"""The steps that an officer takes on the board, each with the form that it reads."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from chassis.web.access import Caller
from chassis.web.models import StrictModel
from services.alerts.api.models import (
    AcknowledgementBody,
    ClosureBody,
    NoteBody,
    ReasonBody,
    VerificationBody,
)
from services.alerts.api.parts import officer
from services.alerts.domain.alerts import Alert
from services.alerts.use_cases.acknowledge_alert import acknowledge_alert
from services.alerts.use_cases.close_alert import close_alert
from services.alerts.use_cases.escalate_alert import escalate_alert
from services.alerts.use_cases.note_on_alert import note_on_alert
from services.alerts.use_cases.reopen_alert import reopen_alert
from services.alerts.use_cases.verify_alert import verify_alert

Step = Callable[[Transaction, Caller, UUID, Any], Awaitable[Alert]]


def steps(keyring: Keyring) -> Mapping[str, tuple[type[StrictModel], Step]]:
    """Return each step by the last part of its address."""

    async def acknowledge(tx: Transaction, caller: Caller, alert_id: UUID, body: AcknowledgementBody) -> Alert:
        return await acknowledge_alert(tx, alert_id, body.reason, by=officer(caller), keyring=keyring)

    async def verify(tx: Transaction, caller: Caller, alert_id: UUID, body: VerificationBody) -> Alert:
        return await verify_alert(tx, alert_id, body.result, body.reason, by=officer(caller), keyring=keyring)

    async def close(tx: Transaction, caller: Caller, alert_id: UUID, body: ClosureBody) -> Alert:
        return await close_alert(tx, alert_id, body.outcome, body.reason, by=officer(caller), keyring=keyring)

    async def reopen(tx: Transaction, caller: Caller, alert_id: UUID, body: ReasonBody) -> Alert:
        return await reopen_alert(tx, alert_id, body.reason, by=officer(caller), keyring=keyring)

    async def escalate(tx: Transaction, caller: Caller, alert_id: UUID, body: ReasonBody) -> Alert:
        return await escalate_alert(tx, alert_id, body.reason, by=officer(caller), keyring=keyring)

    async def note(tx: Transaction, caller: Caller, alert_id: UUID, body: NoteBody) -> Alert:
        return await note_on_alert(tx, alert_id, body.text, by=officer(caller), keyring=keyring)

    return {
        "acknowledgement": (AcknowledgementBody, acknowledge),
        "verification": (VerificationBody, verify),
        "closure": (ClosureBody, close),
        "reopening": (ReasonBody, reopen),
        "escalation": (ReasonBody, escalate),
        "notes": (NoteBody, note),
    }
