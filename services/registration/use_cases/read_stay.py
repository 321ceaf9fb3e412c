"""One stay with its person, for a purpose and a case, and logged."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.data import audit
from chassis.data.db import Transaction
from services.registration.domain.access import DUTY_OFFICER, Actor, NoSuchAlert, Reason, check_reach
from services.registration.domain.corrections import KeptCorrection
from services.registration.domain.stays import Stay, UnknownStay
from services.registration.storage import alerts, corrections, stays
from services.registration.vault import Vault

# product.md section 1: a match that was withdrawn gives no right to see the person it was taken for.
READABLE_STATES = frozenset({"new", "acknowledged", "verified", "closed"})


@dataclass(frozen=True, slots=True)
class StayRead:
    """A stay as its reader may see it; not `whole` for an officer who verifies an alert: no contact, no history."""

    stay: Stay
    address: str | None
    corrections: tuple[KeptCorrection, ...]
    whole: bool


async def read_stay(
    tx: Transaction, stay_id: UUID, *, actor: Actor, reason: Reason, vault: Vault, now: datetime
) -> StayRead:
    """Return a stay and log that it was read. Raises UnknownStay, OutsideArea, NoSuchAlert."""
    found = await stays.load(tx, vault, stay_id, unit=actor.unit)
    if actor.role == DUTY_OFFICER:
        await _check_alert(tx, reason.case, stay_id)
    if found is None:
        raise UnknownStay
    whole = actor.role != DUTY_OFFICER
    if whole:
        check_reach(actor, found.areas, found.stay.division_code, found.operator_unit)
    kept = await corrections.of_stay(tx, vault, stay_id) if whole else []
    audit.record(
        tx,
        audit.Entry(
            actor=actor.subject,
            actor_unit=actor.unit,
            action="read-stay",
            subject=found.stay.person_id,
            purpose=reason.purpose,
            case=reason.case,
            detail={"stay": str(stay_id)},
        ),
        now,
    )
    return StayRead(found.stay, found.address, tuple(kept), whole)


async def _check_alert(tx: Transaction, case: str, stay_id: UUID) -> None:
    try:
        alert_id = UUID(case)
    except ValueError:
        raise NoSuchAlert from None
    if await alerts.state_of(tx, alert_id, stay_id) not in READABLE_STATES:
        raise NoSuchAlert
