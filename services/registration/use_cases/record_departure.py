"""Somebody leaves: close the stay, drop its tokens, count one person less, tell both."""

from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from services.registration import events
from services.registration.domain.access import Actor, check_reach
from services.registration.domain.statistics import changes
from services.registration.domain.stays import Stay, UnknownStay, depart
from services.registration.storage import occupancy, statistics, stays
from services.registration.vault import Vault


async def record_departure(
    tx: Transaction, stay_id: UUID, departed_at: datetime, *, actor: Actor, vault: Vault, now: datetime
) -> Stay:
    """Close a stay. Raises UnknownStay, OutsideArea, AlreadyDeparted, Refused (`/departed_at`)."""
    found = await stays.load(tx, vault, stay_id, unit=actor.unit, lock=True)
    if found is None:
        raise UnknownStay
    check_reach(actor, found.areas, found.stay.division_code, found.operator_unit)
    departed = depart(found.stay, departed_at, now)
    recorded_at = await stays.close(tx, departed)
    counted = await occupancy.leave(tx, departed.premises_id)
    await statistics.note(tx, changes(found.stay, departed))
    tokens = vault.matching_tokens(departed.person.document)
    tx.emit(events.person_departed(departed.facts, tokens, recorded_at))
    tx.emit(events.occupancy(departed.premises_id, counted.headcount, counted.version))
    return departed
