"""What registration publishes: stays, headcounts and the tree of units."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from contracts.event import Code, DivisionCode, Event, Instant, State
from contracts.fields import field, tags

# Only alerts reads stays, to compare them with notices; who stays there is known to registration alone.
STAY = tags(purpose="notice_matching", basis="residence_registration", class_="pseudonym", retention="topic_7_days")
TOKEN = tags(purpose="notice_matching", basis="notice_instrument", class_="pseudonym", retention="topic_7_days")
# A number of people at one address, no person. For a flat with one tenant it says when that tenant is there, so
# it is kept as a present state only.
HEADCOUNT = tags(purpose="housing_safety", basis="residence_registration", class_="personal", retention="current")
PLACE = tags(purpose="housing_safety", basis="not_personal", class_="none", retention="current")
UNIT = tags(purpose="organisation", basis="not_personal", class_="none", retention="current")


class StayKind(StrEnum):
    """How somebody stays at premises."""

    TENANT = "tenant"
    HOTEL_GUEST = "hotel_guest"
    DORMITORY = "dormitory"
    SITE_WORKER = "site_worker"
    HOST_FAMILY = "host_family"
    OTHER = "other"


class MatchingTokenV1(Event):
    """A keyed token of a document: equal for equal documents, and nothing can be read from it without the key."""

    key_id: Annotated[str, field(TOKEN, min_length=1, max_length=64, description="which key made the value")]
    value: Annotated[str, field(TOKEN, min_length=16, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


class StayEventV1(Event):
    """What each event of a stay carries: the stay as it is after the event. Key of the record is the stay id."""

    stay_id: Annotated[UUID, field(STAY)]
    premises_id: Annotated[UUID, field(STAY)]
    room: Annotated[str | None, field(STAY, max_length=40)] = None
    division_code: Annotated[DivisionCode, field(STAY)]
    kind: Annotated[StayKind, field(STAY)]
    occurred_at: Annotated[Instant, field(STAY, description="when it happened at the premises")]
    recorded_at: Annotated[Instant, field(STAY, description="when this event's own row was written")]
    ended_at: Annotated[Instant | None, field(STAY, description="the stay's end, once it is known")] = None
    token: Annotated[
        MatchingTokenV1 | None, field(TOKEN, description="absent where the number is still to be verified")
    ] = None
    expiry_token: Annotated[
        MatchingTokenV1 | None, field(TOKEN, description="over number and expiry date together, where one is known")
    ] = None


class PersonArrivedV1(StayEventV1):
    """A stay was registered."""


class PersonDepartedV1(StayEventV1):
    """A stay has ended; `ended_at` says when."""


class StayCorrectedV1(StayEventV1):
    """A stay was recorded wrongly and is now as this event says, its document included."""


class PersonPresentV1(StayEventV1):
    """An open stay matches a notice that has become active: registration's answer to `notice-activated`."""


class OccupancyV1(State):
    """How many people are registered at premises now. Key of the record is the premises id."""

    premises_id: Annotated[UUID, field(PLACE)]
    headcount: Annotated[int, field(HEADCOUNT, ge=0)]


class UnitNameV1(Event):
    """A unit's name in the two languages of the pages."""

    zh: Annotated[str, field(UNIT, min_length=1, max_length=100)]
    en: Annotated[str, field(UNIT, min_length=1, max_length=100)]


class UnitV1(State):
    """A unit of the organisation tree. Key of the record is the unit id."""

    unit_id: Annotated[str, field(UNIT, min_length=1, max_length=64)]
    name: Annotated[UnitNameV1, field(UNIT)]
    kind: Annotated[Code, field(UNIT)]
    parent: Annotated[str | None, field(UNIT, max_length=64)] = None
    areas: Annotated[
        tuple[Annotated[str, field(UNIT, pattern=r"^[0-9]{2,12}$")], ...],
        field(UNIT, description="prefixes of division codes that the unit is responsible for"),
    ] = ()
    roles: Annotated[tuple[Code, ...], field(UNIT)] = ()
