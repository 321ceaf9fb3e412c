"""What is entered when somebody arrives, and whether it can be registered."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.registration.domain.documents import Document, DocumentKind, Sex, read_document
from services.registration.domain.faults import Faults
from services.registration.domain.persons import Guardian, Person, read_name, read_person, read_phone
from services.registration.domain.premises import read_room
from services.registration.domain.stays import BASES, CITY, CLOCK_TOLERANCE, LegalBasis, StayKind, needs_guardian
from services.registration.domain.texts import single_spaced


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document as typed."""

    kind: DocumentKind
    number: str
    issuing_country: str | None = None
    valid_until: date | None = None

    def read(self, today: date) -> Document:
        """Return it in normal form. Raises Refused."""
        return read_document(
            self.kind, self.number, issuing_country=self.issuing_country, valid_until=self.valid_until, today=today
        )


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A person as typed."""

    name: str
    document: DocumentEntry
    birth_date: date | None = None
    sex: Sex | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class ArrivalEntry:
    """An arrival as typed, each value of the right type and nothing more."""

    person: PersonEntry
    premises_id: UUID
    room: str
    kind: StayKind
    arrived_at: datetime
    legal_basis: LegalBasis
    expected_until: datetime | None = None
    guardian: Guardian | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An arrival that can be registered, in normal form."""

    person: Person
    guardian: Guardian | None
    premises_id: UUID
    room: str
    kind: StayKind
    legal_basis: LegalBasis
    arrived_at: datetime
    expected_until: datetime | None


def read_arrival(entry: ArrivalEntry, now: datetime) -> Arrival:
    """Check and normalise an arrival; all that is wrong is found at once. Raises Refused.

    A number that fails its own check is no fault (`to_verify`). Registering late is never refused. Minors in a hotel
    need the guardian's contact and the relation of those who share the room (未成年人保护法 article 57).
    """
    faults = Faults()
    entered = entry.guardian
    guardian = faults.take("/guardian", lambda: read_guardian(entered)) if entered else None
    today = now.astimezone(CITY).date()
    document = faults.take("/person/document", lambda: entry.person.document.read(today))
    person = faults.take("/person", lambda: _read_person(entry.person, document, today))
    born = (document and document.birth_date) or entry.person.birth_date
    if entered is None and needs_guardian(entry.kind, born, entry.arrived_at):
        faults.add("/guardian", "guardian-required")
    if entry.arrived_at > now + CLOCK_TOLERANCE:
        faults.add("/arrived_at", "in-the-future")
    if entry.expected_until is not None and entry.expected_until <= entry.arrived_at:
        faults.add("/expected_until", "before-arrival")
    if entry.legal_basis not in BASES[entry.kind]:
        faults.add("/legal_basis", "basis-of-another-kind")
    room = read_room(entry.room)
    if not room:
        faults.add("/room", "required")
    faults.refuse()
    assert person is not None
    return Arrival(
        person=person,
        guardian=guardian,
        premises_id=entry.premises_id,
        room=room,
        kind=entry.kind,
        legal_basis=entry.legal_basis,
        arrived_at=entry.arrived_at,
        expected_until=entry.expected_until,
    )


def read_guardian(entered: Guardian) -> Guardian:
    """Check and normalise a guardian's contact. Raises Refused (`/name`, `/phone`, `/relation`)."""
    faults = Faults()
    name = faults.take("", lambda: read_name(entered.name))
    phone = faults.take("", lambda: read_phone(entered.phone))
    relation = single_spaced(entered.relation)
    if not relation:
        faults.add("/relation", "required")
    faults.refuse()
    assert name is not None
    assert phone is not None
    return Guardian(name, phone, relation)


def _read_person(entry: PersonEntry, document: Document | None, today: date) -> Person:
    return read_person(
        name=entry.name,
        # With a number that is no number, the rest is still checked, against a document that says nothing.
        document=document or Document(entry.document.kind, "", ""),
        birth_date=entry.birth_date,
        sex=entry.sex,
        phone=entry.phone,
        today=today,
    )
