"""Clear a hazard that an inspector has seen to be no more."""

from dataclasses import replace
from uuid import UUID

from chassis.data.db import Transaction
from services.housing import events
from services.housing.domain.hazards import Hazard, UnknownHazard, clear
from services.housing.domain.premises import entrusted
from services.housing.domain.units import Actor
from services.housing.storage import hazards as hazards_store
from services.housing.storage import premises as premises_store


async def clear_hazard(tx: Transaction, hazard_id: UUID, note: str, actor: Actor) -> Hazard:
    """Clear the hazard now and publish it. Raises UnknownHazard, OutsideArea and AlreadyCleared."""
    premises_id = await hazards_store.premises_of(tx, hazard_id)
    if premises_id is None:
        raise UnknownHazard
    premises = entrusted(actor, await premises_store.find(tx, premises_id, for_change=True))
    # Read once the premises are held: another one may have cleared it meanwhile.
    hazard = await hazards_store.find(tx, hazard_id)
    if hazard is None:
        raise UnknownHazard
    # By the clock that all processes share: one that is ahead would hide what a visit finds just after.
    cleared = clear(hazard, await tx.database_time())
    await hazards_store.keep_cleared(tx, cleared, note, actor)
    left = replace(
        premises,
        open_hazards=tuple(each for each in premises.open_hazards if each.hazard_id != hazard_id),
        version=premises.version + 1,
    )
    await premises_store.change(tx, left)
    tx.emit(events.hazard_cleared(left, cleared))
    tx.emit(events.premises_changed(left))
    return cleared
