"""Premises with the places left in each room: no person in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis.data.db import Transaction
from services.registration.domain.premises import Premises, UnknownPremises, free_places
from services.registration.domain.units import Actor, check_reach
from services.registration.storage import premises, units


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
    place = await premises.get(tx, premises_id)
    if place is None:
        raise UnknownPremises
    check_reach(actor, await units.areas(tx, actor.unit), place.division_code, place.operator_unit)
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
