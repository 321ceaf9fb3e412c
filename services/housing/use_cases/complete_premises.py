"""Complete a stub: an inspector enters what the clerk could not know, and it becomes premises like any other."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from policy.packs import Packs
from services.housing import events
from services.housing.domain.faults import Fault, Refused
from services.housing.domain.premises import Entry, NotAStub, Premises, entrusted, open_premises
from services.housing.domain.units import Actor, OutsideArea, responsible_for
from services.housing.storage import premises as premises_store
from services.housing.storage import units as units_store

# A pack is in force from a day of the city's calendar.
CITY = ZoneInfo("Asia/Shanghai")


async def complete_premises(
    tx: Transaction, premises_id: UUID, entry: Entry, actor: Actor, *, packs: Packs, keyring: Keyring, now: datetime
) -> Premises:
    """Fill in a stub, correcting what the clerk wrote, and publish it.

    Raises UnknownPremises, OutsideArea (of the stub or of the division entered), NotAStub and Refused.
    """
    found = entrusted(actor, await premises_store.find(tx, premises_id, for_change=True))
    if found.status != "stub":
        raise NotAStub
    if not responsible_for(actor, entry.division_code):
        raise OutsideArea
    rule = packs.on(now.astimezone(CITY).date(), entry.division_code).capacity
    entered, operator = open_premises(premises_id, entry, rule, now)
    if entry.operator_unit is not None and await units_store.find(tx, entry.operator_unit) is None:
        raise Refused(Fault("/operator_unit", "unknown-unit"))
    whole = replace(entered, version=found.version + 1, open_hazards=found.open_hazards, letter=found.letter)
    await premises_store.complete(tx, keyring, whole, operator, registered_by=actor.subject, registered_unit=actor.unit)
    tx.emit(events.premises_registered(whole))
    tx.emit(events.premises_changed(whole))
    return whole
