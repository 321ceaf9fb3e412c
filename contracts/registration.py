"""What registration publishes: stays, headcounts, stubs of premises, counts of a day and the tree of units."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import model_validator

from contracts.event import Code, DivisionCode, Event, Instant, State
from contracts.fields import field, tags
from contracts.housing import PremisesKind
from contracts.statistics import COUNT, Statistics

# Only alerts reads stays, to compare them with notices; who stays there is known to registration alone.
STAY = tags(purpose="notice_matching", basis="residence_registration", class_="pseudonym", retention="topic_7_days")
TOKEN = tags(purpose="notice_matching", basis="notice_instrument", class_="pseudonym", retention="topic_7_days")
# A number of people at one address, no person. For a flat with one tenant it says when that tenant is there, so
# it is kept as a present state only.
HEADCOUNT = tags(purpose="housing_safety", basis="residence_registration", class_="personal", retention="current")
PLACE = tags(purpose="housing_safety", basis="not_personal", class_="none", retention="current")
STUB = tags(purpose=("registration", "housing_safety"), basis="not_personal", class_="none", retention="topic_7_days")
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


class PremisesStubbedV1(Event):
    """Premises that nobody had entered yet are used at registration, to be inspected; housing completes them.

    Key of the record is the premises id.
    """

    premises_id: Annotated[UUID, field(STUB)]
    kind: Annotated[PremisesKind, field(STUB)]
    address: Annotated[str, field(STUB, min_length=1, max_length=200)]
    division_code: Annotated[DivisionCode, field(STUB)]
    stubbed_at: Annotated[Instant, field(STUB)]


class TimelinessV1(Event):
    """Of the arrivals of a day: registered within the term of the rule packs, or after it."""

    on_time: Annotated[int, field(COUNT, ge=0)]
    late: Annotated[int, field(COUNT, ge=0)]


class RegistrationStatisticsV1(Statistics):
    """Stays of one kind in one division on one day, as known now: corrections and late entries bring a new version.

    `registered` counts the stays open at the day's end (today: now), `arrivals` and `departures` those that happened on
    the day, whenever they were recorded. Annulled stays count nowhere. A day without a record is like the day before
    it: as many registered, no arrivals, no departures.
    """

    kind: Annotated[StayKind, field(COUNT)]
    registered: Annotated[int, field(COUNT, ge=0)]
    arrivals: Annotated[int, field(COUNT, ge=0)]
    departures: Annotated[int, field(COUNT, ge=0)]
    timeliness: Annotated[TimelinessV1, field(COUNT)]

    @model_validator(mode="after")
    def _each_arrival_is_on_time_or_late(self) -> Self:
        if self.timeliness.on_time + self.timeliness.late != self.arrivals:
            raise ValueError("on time and late together are the arrivals")
        return self


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
