"""Reads: premises with their free places; stays within the reader's area, for a purpose and a case, and logged."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis.data import audit
from chassis.data.db import Transaction
from services.registration.domain.access import Actor, Reason, check_reach
from services.registration.domain.arrivals import DocumentEntry
from services.registration.domain.faults import at
from services.registration.domain.masked import MaskedStay, mask
from services.registration.domain.premises import Premises, UnknownPremises, free_places, read_room
from services.registration.domain.stays import CITY, StayAt, UnknownStay
from services.registration.storage import persons, premises, stay_lists, stays, units
from services.registration.vault import Vault

# One person has few stays at once, one room few people: more is a sign of a mistake, not a list to page through.
LOOKUP_LIMIT = 100


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room and its free places."""

    number: str
    type: str
    capacity: int
    free: int


@dataclass(frozen=True, slots=True)
class PremisesView:
    """Premises with their rooms as they are now."""

    premises: Premises
    rooms: tuple[RoomView, ...]


async def show_premises(tx: Transaction, premises_id: UUID, *, actor: Actor) -> PremisesView:
    """Return one premises. Raises UnknownPremises, OutsideArea."""
    place = await _reachable(tx, premises_id, actor)
    (view,) = await _views(tx, [place])
    return view


async def search_premises(
    tx: Transaction, address: str, *, actor: Actor, after: UUID | None, limit: int
) -> list[PremisesView]:
    """Return premises within the actor's area whose address contains `address`, by address."""
    known = replace(actor, areas=await units.areas(tx, actor.unit))
    return await _views(tx, await premises.search(tx, known, address, after=after, limit=limit))


async def _views(tx: Transaction, places: Sequence[Premises]) -> list[PremisesView]:
    living = await premises.living_in_rooms(tx, [place.premises_id for place in places]) if places else {}
    return [
        PremisesView(
            place,
            tuple(
                RoomView(
                    room.number,
                    room.type,
                    room.capacity,
                    free_places(room.capacity, living.get((place.premises_id, room.number), 0)),
                )
                for room in place.rooms
            ),
        )
        for place in places
    ]


async def desk_day(
    tx: Transaction, *, actor: Actor, vault: Vault, since: datetime, limit: int
) -> tuple[int, list[MaskedStay]]:
    """Return how many the actor's unit registered since a moment, and the latest of them, newest first, masked."""
    count = await stay_lists.count_registered_by_unit(tx, actor.unit, since)
    return count, [mask(each) for each in await stay_lists.registered_by_unit(tx, vault, actor.unit, since, limit)]


async def masked_stay(tx: Transaction, stay_id: UUID, *, actor: Actor, vault: Vault) -> MaskedStay:
    """Return one stay masked. Raises UnknownStay, OutsideArea."""
    found = await stays.load(tx, vault, stay_id, unit=actor.unit)
    if found is None:
        raise UnknownStay
    check_reach(actor, found.areas, found.stay.division_code, found.operator_unit)
    return mask(StayAt(found.stay, found.address))


async def receipt(tx: Transaction, stay_id: UUID, *, actor: Actor, vault: Vault) -> tuple[MaskedStay, str]:
    """Return one stay masked, and the Chinese name of the unit that registered it. Raises UnknownStay, OutsideArea."""
    stay = await masked_stay(tx, stay_id, actor=actor, vault=vault)
    chinese, _english = (await units.names(tx)).get(stay.registered_unit, (stay.registered_unit, ""))
    return stay, chinese


async def masked_occupants(
    tx: Transaction, premises_id: UUID, *, actor: Actor, vault: Vault, room: str, after: UUID | None, limit: int
) -> tuple[int, list[MaskedStay]]:
    """Return how many are registered at premises now, or in one room of them, and part of them, masked.

    Raises UnknownPremises, OutsideArea.
    """
    await _reachable(tx, premises_id, actor)
    room = read_room(room)
    found = await stay_lists.occupants(tx, vault, premises_id, room=room, after=after, limit=limit)
    return await stay_lists.count_occupants(tx, premises_id, room), [mask(each) for each in found]


async def known_premises(tx: Transaction) -> Collection[str]:
    """Return the keys of all premises here."""
    return await premises.keys(tx)


async def find_by_document(
    tx: Transaction, entry: DocumentEntry, *, actor: Actor, vault: Vault, now: datetime
) -> list[UUID]:
    """Return the open stays of whoever has this document. Raises Refused (`/document/…`)."""
    with at("/document"):
        document = entry.read(now.astimezone(CITY).date())
    people = await persons.ids_of(tx, vault, document)
    return await stay_lists.open_of_people(tx, await _with_areas(tx, actor), people, LOOKUP_LIMIT)


async def find_by_room(tx: Transaction, premises_id: UUID, room: str, *, actor: Actor) -> list[UUID]:
    """Return the open stays of a room."""
    known = await _with_areas(tx, actor)
    return await stay_lists.open_of_room(tx, known, premises_id, read_room(room), LOOKUP_LIMIT)


async def show_found(
    tx: Transaction, stay_ids: Sequence[UUID], *, actor: Actor, reason: Reason, vault: Vault, now: datetime
) -> list[StayAt]:
    """Open the stays that a look-up found, as they are now, and log the look-up, also one that found nobody."""
    found = await stay_lists.still_open(tx, vault, stay_ids)
    _log(tx, "look-up", found, actor=actor, reason=reason, now=now)
    return found


async def list_occupants(
    tx: Transaction,
    premises_id: UUID,
    *,
    actor: Actor,
    reason: Reason,
    vault: Vault,
    now: datetime,
    after: UUID | None,
    limit: int,
) -> list[StayAt]:
    """Return who is registered at premises now, in order of registering. Raises UnknownPremises, OutsideArea."""
    await _reachable(tx, premises_id, actor)
    found = await stay_lists.occupants(tx, vault, premises_id, after=after, limit=limit)
    _log(tx, "list-occupants", found, actor=actor, reason=reason, now=now, premises_id=premises_id)
    return found


async def _reachable(tx: Transaction, premises_id: UUID, actor: Actor) -> Premises:
    place = await premises.get(tx, premises_id)
    if place is None:
        raise UnknownPremises
    check_reach(actor, await units.areas(tx, actor.unit), place.division_code, place.operator_unit)
    return place


async def _with_areas(tx: Transaction, actor: Actor) -> Actor:
    return replace(actor, areas=await units.areas(tx, actor.unit))


def _log(
    tx: Transaction,
    action: str,
    found: Sequence[StayAt],
    *,
    actor: Actor,
    reason: Reason,
    now: datetime,
    premises_id: UUID | None = None,
) -> None:
    """One entry per person read, so that each can see who read the own record; one for nobody found."""
    subjects = [(str(one.stay.person_id), str(one.stay.stay_id)) for one in found] or [("nobody", "")]
    detail = {"premises": str(premises_id)} if premises_id else {}
    audit.record(
        tx,
        [
            audit.Entry(
                actor=actor.subject,
                actor_unit=actor.unit,
                action=action,
                subject=person_id,
                purpose=reason.purpose,
                case=reason.case,
                detail={**detail, "stay": stay_id},
            )
            for person_id, stay_id in subjects
        ],
        now,
    )
