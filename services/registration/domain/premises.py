"""Premises as registration knows them: where somebody can be registered, and how many places a room has left."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.registration.domain.faults import Fault, Refused
from services.registration.domain.texts import half_width, single_spaced, without_spaces

# A stub has no rooms yet, so any room is taken as entered.
STUB = "stub"


class PremisesKind(StrEnum):
    """What kind of place somebody may be registered at, or that is only inspected."""

    RENTAL = "rental"
    SHARED_RENTAL = "shared_rental"
    HOTEL = "hotel"
    DORMITORY = "dormitory"
    SITE_SHED = "site_shed"
    MARKET = "market"
    ENTERTAINMENT_VENUE = "entertainment_venue"


class UnknownPremises(LookupError):
    """Housing has not told registration of these premises (yet)."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room and how many may live in it by the city's rule."""

    number: str
    type: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Premises:
    """The last version of premises that housing published."""

    premises_id: UUID
    kind: str
    status: str
    address: str
    division_code: str
    operator_unit: str | None
    rooms: tuple[Room, ...]

    def has_room(self, number: str) -> bool:
        """Tell whether somebody can be registered in this room."""
        return self.status == STUB or any(room.number == number for room in self.rooms)


@dataclass(frozen=True, slots=True)
class StubEntry:
    """Premises that nobody has entered yet, as a clerk enters them: to be inspected."""

    kind: PremisesKind
    address: str
    division_code: str


def stub(premises_id: UUID, entry: StubEntry) -> Premises:
    """Return the stub: it has no rooms, no operator. Raises Refused (`/address`)."""
    address = single_spaced(entry.address)
    if not address:
        raise Refused(Fault("/address", "required"))
    return Premises(premises_id, entry.kind, STUB, address, entry.division_code, None, ())


def read_room(entered: str) -> str:
    """Return a room number in its normal form."""
    return without_spaces(half_width(entered))


def free_places(capacity: int, living_here: int) -> int:
    """Return the places left in a room; a room over its capacity has none."""
    return max(0, capacity - living_here)
