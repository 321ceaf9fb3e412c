"""A stay was recorded wrongly: correct one field, keep what was before, tell it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from policy.packs import Packs
from services.registration import events
from services.registration.domain.access import Actor, check_reach
from services.registration.domain.corrections import CorrectedField, Correction, correct
from services.registration.domain.documents import Document
from services.registration.domain.faults import Fault, Refused
from services.registration.domain.statistics import changes
from services.registration.domain.stays import Stay, UnknownStay
from services.registration.storage import corrections, persons, premises, statistics, stays
from services.registration.use_cases.register_arrival import days_late
from services.registration.vault import Vault


async def correct_stay(
    tx: Transaction,
    stay_id: UUID,
    correction: Correction,
    *,
    actor: Actor,
    vault: Vault,
    packs: Packs,
    now: datetime,
) -> tuple[UUID, Stay]:
    """Correct one field of an open or ended stay; return the correction's id and the stay as it is now.

    Another document means another person and another token: alerts learns that a match holds no more, or holds now.
    Raises UnknownStay, OutsideArea, Refused (`/value` and below).
    """
    found = await stays.load(tx, vault, stay_id, unit=actor.unit, lock=True)
    if found is None:
        raise UnknownStay
    before = found.stay
    check_reach(actor, found.areas, before.division_code, found.operator_unit)
    after = correct(before, correction, now)
    if correction.field is CorrectedField.ROOM:
        place = await premises.get(tx, after.premises_id)
        if place is not None and not place.has_room(after.room):
            raise Refused(Fault("/value", "unknown-room"))
    document, key = after.person.document, found.key
    late = days_late(packs, document, after.kind, after.division_code, after.arrived_at, after.registered_at)
    after = replace(after, days_late=late)
    if not _same_number(document, before.person.document):
        person_id, key = await persons.identify(tx, vault, document)
        after = replace(after, person_id=person_id)
    tokens = vault.matching_tokens(document)
    await stays.amend(tx, after, key, tokens)
    correction_id = uuid7()
    recorded_at = await corrections.insert(
        tx,
        correction_id=correction_id,
        before=before,
        after=after,
        field=correction.field,
        reason=correction.reason,
        key=key,
        corrected_by=actor.subject,
        corrected_unit=actor.unit,
    )
    if after.person_id != before.person_id:
        # Whom the number was mistaken for: nobody, if no other stay names that person.
        await persons.forget(tx, [before.person_id])
    await statistics.note(tx, changes(before, after))
    tx.emit(events.stay_corrected(after.facts, tokens, recorded_at))
    return correction_id, after


def _same_number(one: Document, other: Document) -> bool:
    return (one.kind, one.issuing_country, one.number) == (other.kind, other.issuing_country, other.number)
