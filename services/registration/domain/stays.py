"""Stays: who may be registered how, when a stay begins and ends, and how late it was registered."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from services.registration.domain.faults import Fault, Refused
from services.registration.domain.persons import Guardian, Person, is_minor
from services.registration.domain.tokens import Token

# The city's day: a birthday, a date without a time and a day late are counted here.
CITY = ZoneInfo("Asia/Shanghai")
# interfaces.md: clocks of terminals differ; what lies further ahead was entered wrongly.
CLOCK_TOLERANCE = timedelta(minutes=5)


class StayKind(StrEnum):
    """How somebody stays at premises."""

    TENANT = "tenant"
    HOTEL_GUEST = "hotel_guest"
    DORMITORY = "dormitory"
    SITE_WORKER = "site_worker"
    HOST_FAMILY = "host_family"
    OTHER = "other"


class LegalBasis(StrEnum):
    """What obliges to register."""

    RENTAL_REGISTER = "rental_register"
    RESIDENCE_REGISTRATION = "residence_registration"
    HOTEL_REGISTER = "hotel_register"
    WORKER_HOUSING = "worker_housing"


# interfaces.md, codes: the bases of each kind, the usual one first.
BASES = {
    StayKind.TENANT: (LegalBasis.RENTAL_REGISTER, LegalBasis.RESIDENCE_REGISTRATION),
    StayKind.HOTEL_GUEST: (LegalBasis.HOTEL_REGISTER,),
    StayKind.DORMITORY: (LegalBasis.WORKER_HOUSING,),
    StayKind.SITE_WORKER: (LegalBasis.WORKER_HOUSING,),
    StayKind.HOST_FAMILY: (LegalBasis.RESIDENCE_REGISTRATION,),
    StayKind.OTHER: (LegalBasis.RESIDENCE_REGISTRATION,),
}


class UnknownStay(LookupError):
    """There is no such stay."""


class AlreadyDeparted(Exception):
    """The stay has ended before."""


@dataclass(frozen=True, slots=True)
class StayFacts:
    """What may leave this service about a stay: where and when, and not who."""

    stay_id: UUID
    premises_id: UUID
    division_code: str
    room: str
    kind: StayKind
    arrived_at: datetime
    departed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay with the person as registered for it. `departed_at` is None while it is open."""

    stay_id: UUID
    person_id: UUID
    person: Person
    guardian: Guardian | None
    premises_id: UUID
    division_code: str
    room: str
    kind: StayKind
    legal_basis: LegalBasis
    arrived_at: datetime
    expected_until: datetime | None
    departed_at: datetime | None
    registered_at: datetime
    registered_unit: str
    receipt_number: str
    days_late: int

    @property
    def facts(self) -> StayFacts:
        """The stay without the person."""
        return StayFacts(
            self.stay_id,
            self.premises_id,
            self.division_code,
            self.room,
            self.kind,
            self.arrived_at,
            self.departed_at,
        )


@dataclass(frozen=True, slots=True)
class StayAt:
    """A stay with the address of its premises; None where housing no longer publishes them."""

    stay: Stay
    address: str | None


@dataclass(frozen=True, slots=True)
class MatchingTokens:
    """What alerts may compare a stay by: the document's token, and the one over its expiry date too."""

    token: Token | None = None
    expiry_token: Token | None = None


def needs_guardian(kind: StayKind, birth_date: date | None, arrived_at: datetime) -> bool:
    """Tell whether 未成年人保护法 article 57 asks a hotel for the guardian's contact."""
    return kind is StayKind.HOTEL_GUEST and is_minor(birth_date, arrived_at.astimezone(CITY).date())


def depart(stay: Stay, departed_at: datetime, now: datetime) -> Stay:
    """End a stay. Raises AlreadyDeparted, or Refused for a time before the arrival or ahead of the clock."""
    if stay.departed_at is not None:
        raise AlreadyDeparted
    check_departure(stay.arrived_at, departed_at, now)
    return replace(stay, departed_at=departed_at)


def check_departure(arrived_at: datetime, departed_at: datetime, now: datetime, pointer: str = "/departed_at") -> None:
    """Refuse an end before the beginning, or ahead of the clock."""
    if departed_at < arrived_at:
        raise Refused(Fault(pointer, "before-arrival"))
    if departed_at > now + CLOCK_TOLERANCE:
        raise Refused(Fault(pointer, "in-the-future"))


def receipt_number(year: int, serial: int) -> str:
    """Return a receipt's number to read out: the year, then the serial in groups of at most four digits."""
    digits = f"{serial:08d}"
    return f"{year}-{digits[:-4]}-{digits[-4:]}"
