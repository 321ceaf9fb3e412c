"""Record an inspection: what it found opens, raises and clears hazards of the premises; everybody may know of them."""

from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from policy.packs import NoRule, Packs
from services.housing import events
from services.housing.domain.faults import Fault, Refused
from services.housing.domain.hazards import Hazard, after_visit
from services.housing.domain.inspections import Inspection, Visit, inspect
from services.housing.domain.premises import entrusted
from services.housing.domain.units import Actor
from services.housing.storage import hazards as hazards_store
from services.housing.storage import inspections as inspections_store
from services.housing.storage import premises as premises_store

# A pack is in force from a day of the city's calendar.
CITY = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An inspection, and the open hazards of the items that failed in it, new or known before."""

    inspection: Inspection
    hazards: tuple[Hazard, ...]


async def record_inspection(
    tx: Transaction, premises_id: UUID, visit: Visit, actor: Actor, *, packs: Packs
) -> Recorded:
    """Record a visit now, and what it changed.

    Raises UnknownPremises, OutsideArea and Refused (with every field that cannot be accepted).
    """
    premises = entrusted(actor, await premises_store.find(tx, premises_id, for_change=True))
    try:
        rules = packs.on(visit.inspected_at.astimezone(CITY).date(), premises.division_code)
    except NoRule:
        raise Refused(Fault("/inspected_at", "no-checklist-then")) from None
    # By the clock that all processes share: how far a phone may be ahead must not hang on which of them it reaches.
    now = await tx.database_time()
    done = inspect(uuid7(), premises_id, premises.kind, visit, rules.checklist, now)
    changes = after_visit(premises.open_hazards, done, await hazards_store.looked_at(tx, premises_id), uuid7)
    await inspections_store.add(tx, done, actor)
    await hazards_store.keep(tx, premises_id, changes, done.inspection_id, actor)

    left = replace(premises, open_hazards=changes.applied_to(premises.open_hazards))
    tx.emit(events.inspection_done(left, done))
    for hazard in changes.found:
        tx.emit(events.hazard_found(left, hazard))
    for hazard in changes.cleared:
        tx.emit(events.hazard_cleared(left, hazard))
    if left != premises:
        left = replace(left, version=premises.version + 1)
        await premises_store.change(tx, left)
        tx.emit(events.premises_changed(left))
    failed = {finding.item for finding in done.items if finding.result == "fail"}
    return Recorded(done, tuple(hazard for hazard in left.open_hazards if hazard.item in failed))
