"""Premises: rooms, who runs them, and how many people may live there by the city's rule."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from policy.capacity import Capacity
from policy.checklists import HazardSeverity, worst
from services.housing.domain.faults import Fault, Refused
from services.housing.domain.hazards import Hazard
from services.housing.domain.letters import Letter
from services.housing.domain.texts import half_width, single_spaced, without_spaces
from services.housing.domain.units import Actor, OutsideArea, may_see, responsible_for

PremisesKind = Literal["rental", "shared_rental", "hotel", "dormitory", "site_shed", "market", "entertainment_venue"]
RoomType = Literal[
    "bedroom", "living_room", "dormitory", "kitchen", "bathroom", "balcony", "storage", "garage", "corridor"
]
Status = Literal["open", "closed", "stub"]
OperatorKind = Literal["person", "firm"]

# Mobile (11 digits), landline with area code, 400 numbers, and foreign ones (ITU-T E.164: 15 digits at most).
PHONE = re.compile(r"\+?[0-9]{5,15}")


class UnknownPremises(LookupError):
    """There are no premises with this id."""


class NotAStub(Exception):
    """Only a stub is completed; these premises were entered in full."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room; `capacity` is how many may live in it, 0 where nobody may."""

    number: str
    type: RoomType
    area_m2: float
    capacity: int = 0


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs the premises: a natural person or a firm. Never part of an event."""

    kind: OperatorKind
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Premises as typed, each value of the right type and nothing more."""

    kind: PremisesKind
    name: str
    address: str
    division_code: str
    latitude: float
    longitude: float
    rooms: tuple[Room, ...]
    operator: Operator
    one_household: bool = False
    operator_unit: str | None = None


@dataclass(frozen=True, slots=True)
class Premises:
    """Premises without the operator's data. `version` grows with each change.

    Of a stub kind, address and division are known, and `registered_at` is when it was entered at registration.
    """

    premises_id: UUID
    kind: PremisesKind
    status: Status
    name: str | None
    address: str
    division_code: str
    latitude: float | None
    longitude: float | None
    one_household: bool
    operator_unit: str | None
    operator_kind: OperatorKind | None
    rooms: tuple[Room, ...]
    capacity: int
    registered_at: datetime
    version: int
    open_hazards: tuple[Hazard, ...] = ()
    letter: Letter | None = None

    @property
    def title(self) -> str:
        """Return what to call the premises: the name on the door, or the address while nobody has entered one."""
        return self.name or self.address

    @property
    def letter_signed(self) -> bool:
        """Tell whether the letter in force is signed."""
        return self.letter is not None and self.letter.in_force

    @property
    def worst_open_hazard(self) -> HazardSeverity | None:
        """Return the gravest severity of the open hazards."""
        return worst(hazard.severity for hazard in self.open_hazards)


def entrusted(actor: Actor, found: Premises | None) -> Premises:
    """Return premises that an inspector's unit is responsible for. Raises UnknownPremises and OutsideArea."""
    if found is None:
        raise UnknownPremises
    if not responsible_for(actor, found.division_code):
        raise OutsideArea
    return found


def visible(actor: Actor, found: Premises | None) -> Premises:
    """Return premises that the actor may see. Raises UnknownPremises and OutsideArea."""
    if found is None:
        raise UnknownPremises
    if not may_see(actor, found.division_code, found.operator_unit):
        raise OutsideArea
    return found


def stub(premises_id: UUID, kind: PremisesKind, address: str, division_code: str, stubbed_at: datetime) -> Premises:
    """Return premises that a clerk entered at registration because nobody could find them: to be inspected.

    Nobody knows yet how many may live there: capacity 0 stands for no rule, not for nobody.
    """
    return Premises(
        premises_id=premises_id,
        kind=kind,
        status="stub",
        name=None,
        address=address,
        division_code=division_code,
        latitude=None,
        longitude=None,
        one_household=False,
        operator_unit=None,
        operator_kind=None,
        rooms=(),
        capacity=0,
        registered_at=stubbed_at,
        version=1,
    )


def open_premises(premises_id: UUID, entry: Entry, rule: Capacity, now: datetime) -> tuple[Premises, Operator]:
    """Return new premises in normal form with their capacity by `rule`, and their operator. Raises Refused.

    `rule` is the capacity pack in force on the day of registration (product.md 4: capacity follows from the city's
    area rule and room types).
    """
    rooms = tuple(_room(entry, room, rule) for room in entry.rooms)
    operator = replace(
        entry.operator, name=single_spaced(entry.operator.name), phone=_phone(half_width(entry.operator.phone))
    )
    if faults := [*_room_faults(rooms), *_operator_faults(operator), *_text_faults(entry)]:
        raise Refused(*faults)
    premises = Premises(
        premises_id=premises_id,
        kind=entry.kind,
        status="open",
        name=single_spaced(entry.name),
        address=single_spaced(entry.address),
        division_code=entry.division_code,
        latitude=entry.latitude,
        longitude=entry.longitude,
        one_household=entry.one_household,
        operator_unit=entry.operator_unit,
        operator_kind=operator.kind,
        rooms=rooms,
        capacity=sum(room.capacity for room in rooms),
        registered_at=now,
        version=1,
    )
    return premises, operator


def _room(entry: Entry, room: Room, rule: Capacity) -> Room:
    places = rule.of_room(entry.kind, room.type, room.area_m2, entry.one_household)
    return replace(room, number=without_spaces(half_width(room.number)), capacity=places)


def _room_faults(rooms: Sequence[Room]) -> list[Fault]:
    seen: Counter[str] = Counter()
    faults = []
    for at, room in enumerate(rooms):
        seen[room.number] += 1
        if not room.number:
            faults.append(Fault(f"/rooms/{at}/number", "missing"))
        elif seen[room.number] > 1:
            faults.append(Fault(f"/rooms/{at}/number", "duplicate-room"))
    return faults


def _operator_faults(operator: Operator) -> list[Fault]:
    faults = [] if operator.name else [Fault("/operator/name", "missing")]
    if not PHONE.fullmatch(operator.phone):
        faults.append(Fault("/operator/phone", "not-a-phone-number"))
    return faults


def _text_faults(entry: Entry) -> list[Fault]:
    return [Fault(f"/{name}", "missing") for name in ("name", "address") if not single_spaced(getattr(entry, name))]


def _phone(entered: str) -> str:
    """Leave out what people write between the digits of a phone number."""
    return re.sub(r"[\s()-]", "", entered)
