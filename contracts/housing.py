"""What housing publishes: premises as they are now, what inspections of them found, and counts of a day."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from contracts.event import Code, DivisionCode, Event, Instant, State
from contracts.fields import field, tags
from contracts.statistics import COUNT, Statistics

# Of the place alone: the operator may be a natural person, so neither a name nor a phone is here.
PLACE = tags(purpose=("registration", "housing_safety"), basis="not_personal", class_="none", retention="current")
# What happened to a place, without who inspected, signed or lives there.
FACT = tags(purpose="housing_safety", basis="not_personal", class_="none", retention="topic_7_days")


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


class HazardSeverity(StrEnum):
    """How grave a hazard is: 一般隐患, 重大隐患, 紧迫危险."""

    MINOR = "minor"
    SERIOUS = "serious"
    IMMINENT = "imminent"


class InspectionOutcome(StrEnum):
    """How a visit ended."""

    DONE = "done"
    NOBODY_HOME = "nobody_home"
    REFUSED = "refused"


class EntryBasis(StrEnum):
    """On what the inspector entered, or asked to."""

    CONSENT = "consent"
    CERTIFICATE = "certificate"
    EMERGENCY = "emergency"


class OpenHazardV1(Event):
    """A hazard of premises that is not cleared yet. `item` is a code of the inspection checklist."""

    hazard_id: Annotated[UUID, field(PLACE)]
    item: Annotated[Code, field(PLACE)]
    severity: Annotated[HazardSeverity, field(PLACE)]
    found_at: Annotated[Instant, field(PLACE)]


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
    open_hazards: Annotated[tuple[OpenHazardV1, ...], field(PLACE)] = ()


class PremisesEventV1(Event):
    """What each event of premises carries. Key of the record is the premises id."""

    premises_id: Annotated[UUID, field(FACT)]
    division_code: Annotated[DivisionCode, field(FACT)]
    kind: Annotated[PremisesKind, field(FACT, description="of the premises")]


class PremisesRegisteredV1(PremisesEventV1):
    """Premises were entered in full, new or completed from a stub."""

    registered_at: Annotated[Instant, field(FACT)]


class PremisesClosedV1(PremisesEventV1):
    """Nobody may live in the premises any more. How many did is told by `registration.occupancy`."""

    closed_at: Annotated[Instant, field(FACT)]


class PremisesReopenedV1(PremisesEventV1):
    """Closed premises may be lived in again."""

    reopened_at: Annotated[Instant, field(FACT)]


class LetterSignedV1(PremisesEventV1):
    """The operator signed the responsibility letter; which text, not who."""

    letter_version: Annotated[str, field(FACT, min_length=1, max_length=20)]
    text_sha256: Annotated[str, field(FACT, pattern=r"^[0-9a-f]{64}$")]
    signed_at: Annotated[Instant, field(FACT)]


class InspectionDoneV1(PremisesEventV1):
    """Premises were visited, nobody home and entry refused included."""

    inspection_id: Annotated[UUID, field(FACT)]
    outcome: Annotated[InspectionOutcome, field(FACT)]
    entry_basis: Annotated[EntryBasis, field(FACT)]
    checklist_version: Annotated[str, field(FACT, min_length=1, max_length=20)]
    inspected_at: Annotated[Instant, field(FACT)]
    recorded_at: Annotated[Instant, field(FACT, description="when this event's own row was written")]
    open_hazards: Annotated[int, field(FACT, ge=0, description="of the premises, after this visit")]


class HazardFoundV1(PremisesEventV1):
    """An inspection found a hazard. `item` is a code of the inspection checklist."""

    hazard_id: Annotated[UUID, field(FACT)]
    item: Annotated[Code, field(FACT)]
    severity: Annotated[HazardSeverity, field(FACT)]
    found_at: Annotated[Instant, field(FACT)]


class HazardClearedV1(PremisesEventV1):
    """A hazard is no more."""

    hazard_id: Annotated[UUID, field(FACT)]
    item: Annotated[Code, field(FACT)]
    severity: Annotated[HazardSeverity, field(FACT)]
    cleared_at: Annotated[Instant, field(FACT)]


class InspectionCountsV1(Event):
    """Visits by how they ended."""

    done: Annotated[int, field(COUNT, ge=0)]
    nobody_home: Annotated[int, field(COUNT, ge=0)]
    refused: Annotated[int, field(COUNT, ge=0)]


class BySeverityV1(Event):
    """A count, or a sum of seconds, for each severity of hazards."""

    minor: Annotated[int, field(COUNT, ge=0)]
    serious: Annotated[int, field(COUNT, ge=0)]
    imminent: Annotated[int, field(COUNT, ge=0)]


class HousingStatisticsV1(Statistics):
    """Premises of one kind in one division on one day, as known now.

    What is open or closed is counted at the day's end (today: now), stubs not; the rest is what happened on the day.
    `clear_seconds` sums, for the hazards cleared on the day, the time from found to cleared. A day without a record is
    like the day before it: as much open and closed, and nothing happened.
    """

    kind: Annotated[PremisesKind, field(COUNT)]
    premises_open: Annotated[int, field(COUNT, ge=0)]
    premises_closed: Annotated[int, field(COUNT, ge=0)]
    inspections: Annotated[InspectionCountsV1, field(COUNT)]
    hazards_found: Annotated[BySeverityV1, field(COUNT)]
    hazards_cleared: Annotated[BySeverityV1, field(COUNT)]
    hazards_open: Annotated[BySeverityV1, field(COUNT)]
    clear_seconds: Annotated[BySeverityV1, field(COUNT, description="sums of seconds from found to cleared")]
