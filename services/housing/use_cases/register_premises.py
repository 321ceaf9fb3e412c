"""Register premises: rooms, capacity by the city's rule, the operator; then everybody may know of them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from policy.packs import Packs
from services.housing import events
from services.housing.domain.faults import Fault, Refused
from services.housing.domain.premises import Entry, Premises, open_premises
from services.housing.domain.units import Actor, OutsideArea, responsible_for
from services.housing.storage import premises as premises_store
from services.housing.storage import units as units_store

# A pack is in force from a day of the city's calendar.
CITY = ZoneInfo("Asia/Shanghai")


async def register_premises(
    tx: Transaction, entry: Entry, actor: Actor, *, packs: Packs, keyring: Keyring, now: datetime
) -> Premises:
    """Register what an inspector entered and publish it.

    Raises OutsideArea (not the unit's division) and Refused (with every field that cannot be accepted).
    """
    if not responsible_for(actor, entry.division_code):
        raise OutsideArea
    rule = packs.on(now.astimezone(CITY).date(), entry.division_code).capacity
    premises, operator = open_premises(uuid7(), entry, rule, now)
    if entry.operator_unit is not None and await units_store.find(tx, entry.operator_unit) is None:
        raise Refused(Fault("/operator_unit", "unknown-unit"))
    await premises_store.add(tx, keyring, premises, operator, registered_by=actor.subject, registered_unit=actor.unit)
    tx.emit(events.premises_changed(premises))
    tx.emit(events.premises_registered(premises))
    return premises
