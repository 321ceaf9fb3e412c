"""Somebody arrives: register the stay, count one person more, tell both."""

from datetime import datetime

from chassis.data.db import Transaction
from policy.packs import NoRule, Packs
from services.registration import events
from services.registration.domain.access import Actor, check_reach
from services.registration.domain.arrivals import ArrivalEntry, read_arrival
from services.registration.domain.documents import CHINA, Document
from services.registration.domain.faults import Faults
from services.registration.domain.premises import read_room
from services.registration.domain.statistics import changes
from services.registration.domain.stays import CITY, Stay, StayKind
from services.registration.storage import occupancy, persons, statistics, stays
from services.registration.vault import Vault


async def register_arrival(
    tx: Transaction, entry: ArrivalEntry, *, actor: Actor, vault: Vault, packs: Packs, now: datetime
) -> Stay:
    """Register a stay, whatever other stays the person has, however late it is and however full the room.

    Raises Refused with every fault at once (`unknown-premises` and `unknown-room` among them), OutsideArea.
    """
    faults = Faults()
    arrival = faults.take("", lambda: read_arrival(entry, now))
    entered = await occupancy.enter(tx, entry.premises_id, actor.unit)
    room = read_room(entry.room)
    if entered is None:
        faults.add("/premises_id", "unknown-premises")
    else:
        check_reach(actor, entered.areas, entered.premises.division_code, entered.premises.operator_unit)
        if room and not entered.premises.has_room(room):
            faults.add("/room", "unknown-room")
    faults.refuse()
    assert arrival is not None
    assert entered is not None
    document = arrival.person.document
    person_id, key = await persons.identify(tx, vault, document)
    tokens = vault.matching_tokens(document)
    stay = await stays.insert(
        tx,
        arrival,
        person_id=person_id,
        key=key,
        division_code=entered.premises.division_code,
        days_late=days_late(packs, document, arrival.kind, entered.premises.division_code, arrival.arrived_at, now),
        tokens=tokens,
        registered_by=actor.subject,
        registered_unit=actor.unit,
    )
    await statistics.note(tx, changes(None, stay))
    tx.emit(events.person_arrived(stay.facts, tokens, recorded_at=stay.registered_at))
    tx.emit(events.occupancy(stay.premises_id, entered.occupancy.headcount, entered.occupancy.version))
    return stay


def days_late(
    packs: Packs, document: Document, kind: StayKind, division_code: str, arrived_at: datetime, registered_at: datetime
) -> int:
    """Return how many days late a stay was registered, by the pack in force on the day of arrival."""
    try:
        rules = packs.on(arrived_at.astimezone(CITY).date(), division_code)
    except NoRule:
        # An arrival from before the oldest pack is registered all the same: today's rules count its days.
        rules = packs.on(registered_at.astimezone(CITY).date(), division_code)
    foreign = document.issuing_country != CHINA
    return rules.deadlines.days_late(kind, arrived_at, registered_at, foreign=foreign)
