"""What housing publishes: premises as they are now."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from contracts.event import Code, DivisionCode, Event, State
from contracts.fields import field, tags

# Of the place alone: the operator may be a natural person, so neither a name nor a phone is here.
PLACE = tags(purpose=("registration", "housing_safety"), basis="not_personal", class_="none", retention="current")


class PremisesKind(StrEnum):
    """What kind of place people live in, or that is inspected."""

    RENTAL = "rental"
    SHARED_RENTAL = "shared_rental"
    HOTEL = "hotel"
    DORMITORY = "dormitory"
    SITE_SHED = "site_shed"
    MARKET = "market"
    ENTERTAINMENT_VENUE = "entertainment_venue"


class PremisesStatus(StrEnum):
    """Whether premises are in use."""

    OPEN = "open"
    CLOSED = "closed"
    STUB = "stub"


class RoomType(StrEnum):
    """What a room is built as; only some are rooms to live in."""

    BEDROOM = "bedroom"
    LIVING_ROOM = "living_room"
    DORMITORY = "dormitory"
    KITCHEN = "kitchen"
    BATHROOM = "bathroom"
    BALCONY = "balcony"
    STORAGE = "storage"
    GARAGE = "garage"
    CORRIDOR = "corridor"


class RoomV1(Event):
    """A room of premises."""

    number: Annotated[str, field(PLACE, min_length=1, max_length=40)]
    type: Annotated[RoomType, field(PLACE)]
    area_m2: Annotated[float | None, field(PLACE, gt=0, description="square metres")] = None
    capacity: Annotated[int, field(PLACE, ge=0, description="people who may live in it by the city's rule")]


class PremisesV1(State):
    """Premises with their rooms and capacity. Key of the record is the premises id."""

    premises_id: Annotated[UUID, field(PLACE)]
    kind: Annotated[PremisesKind, field(PLACE)]
    status: Annotated[PremisesStatus, field(PLACE)]
    address: Annotated[str, field(PLACE, min_length=1, max_length=200)]
    division_code: Annotated[DivisionCode, field(PLACE)]
    latitude: Annotated[float | None, field(PLACE, ge=-90, le=90)] = None
    longitude: Annotated[float | None, field(PLACE, ge=-180, le=180)] = None
    rooms: Annotated[tuple[RoomV1, ...], field(PLACE)] = ()
    capacity: Annotated[int, field(PLACE, ge=0)]
    one_household: Annotated[bool, field(PLACE, description="let to one household: headcount rules do not apply")] = (
        False
    )
    operator_unit: Annotated[str | None, field(PLACE, max_length=64)] = None
    letter_signed: Annotated[bool, field(PLACE)] = False
    grade: Annotated[Code | None, field(PLACE)] = None
    worst_open_hazard: Annotated[Code | None, field(PLACE)] = None
