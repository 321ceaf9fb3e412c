"""What registration takes as JSON: shapes and limits. What the values mean is the domain's matter."""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AwareDatetime, ValidationError, model_validator

from chassis.web.faults import fault
from chassis.web.i18n import N_
from chassis.web.models import StrictModel
from contracts.fields import field, tags
from services.registration.domain.arrivals import ArrivalEntry, DocumentEntry, PersonEntry
from services.registration.domain.corrections import CorrectedField, Correction, Value
from services.registration.domain.documents import DocumentKind, Sex
from services.registration.domain.persons import Guardian
from services.registration.domain.premises import PremisesKind, StubEntry
from services.registration.domain.stays import LegalBasis, StayKind

IDENTITY = tags(purpose="registration", basis="residence_registration", class_="sensitive", retention="stay")
STAY = tags(purpose="registration", basis="residence_registration", class_="personal", retention="stay")
MINOR = tags(purpose="registration", basis="minor_protection", class_="sensitive", retention="stay")
PLACE = tags(purpose="registration", basis="not_personal", class_="none", retention="current")
SEARCH = tags(purpose="registration", basis="residence_registration", class_="sensitive", retention="request")
NOTICE = tags(purpose="notice_matching", basis="notice_instrument", class_="sensitive", retention="request")

# Nobody is registered for a time outside these years; beyond them time zones overflow the calendar.
FIRST_YEAR, LAST_YEAR = 1900, 2199


def _to_utc(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise fault(
            "not-a-year", N_("Must lie between the years {first} and {last}."), first=FIRST_YEAR, last=LAST_YEAR
        )
    return moment.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]


class DocumentBody(StrictModel):
    """A document."""

    kind: Annotated[DocumentKind, field(IDENTITY)]
    number: Annotated[str, field(IDENTITY, min_length=1, max_length=64)]
    issuing_country: Annotated[str | None, field(IDENTITY, max_length=16)] = None
    valid_until: Annotated[date | None, field(IDENTITY)] = None

    def entry(self) -> DocumentEntry:
        """Return it as the domain takes it."""
        return DocumentEntry(self.kind, self.number, self.issuing_country, self.valid_until)


class PersonBody(StrictModel):
    """A person."""

    name: Annotated[str, field(IDENTITY, max_length=400)]
    document: Annotated[DocumentBody, field(IDENTITY)]
    birth_date: Annotated[date | None, field(IDENTITY)] = None
    sex: Annotated[Sex | None, field(IDENTITY)] = None
    phone: Annotated[str | None, field(IDENTITY, max_length=40)] = None

    def entry(self) -> PersonEntry:
        """Return it as the domain takes it."""
        return PersonEntry(self.name, self.document.entry(), self.birth_date, self.sex, self.phone)


class GuardianBody(StrictModel):
    """A minor's guardian."""

    name: Annotated[str, field(MINOR, max_length=400)]
    phone: Annotated[str, field(MINOR, max_length=40)]
    relation: Annotated[str, field(MINOR, max_length=100)]

    def entry(self) -> Guardian:
        """Return it as the domain takes it."""
        return Guardian(self.name, self.phone, self.relation)


class ArrivalBody(StrictModel):
    """An arrival to register."""

    person: Annotated[PersonBody, field(IDENTITY)]
    premises_id: Annotated[UUID, field(STAY)]
    room: Annotated[str, field(STAY, max_length=40)]
    kind: Annotated[StayKind, field(STAY)]
    arrived_at: Annotated[Instant, field(STAY)]
    expected_until: Annotated[Instant | None, field(STAY)] = None
    legal_basis: Annotated[LegalBasis, field(STAY)]
    guardian: Annotated[GuardianBody | None, field(MINOR)] = None

    def entry(self) -> ArrivalEntry:
        """Return it as the domain takes it."""
        return ArrivalEntry(
            person=self.person.entry(),
            premises_id=self.premises_id,
            room=self.room,
            kind=self.kind,
            arrived_at=self.arrived_at,
            legal_basis=self.legal_basis,
            expected_until=self.expected_until,
            guardian=self.guardian.entry() if self.guardian else None,
        )


class DepartureBody(StrictModel):
    """A departure to record."""

    departed_at: Annotated[Instant, field(STAY)]


class CorrectionBody(StrictModel):
    """A correction: `value` has the form that the field has in an arrival; null where the field may be missing."""

    field: Annotated[CorrectedField, field(STAY)]
    value: Annotated[Any, field(IDENTITY)]
    reason: Annotated[str, field(STAY, min_length=1, max_length=500)]

    def correction(self) -> Correction:
        """Return it as the domain takes it. Raises RequestValidationError for a value of another form."""
        try:
            read = VALUES[self.field].model_validate({"value": self.value})
        except ValidationError as error:
            raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None
        value: Value | DocumentBody | GuardianBody = read.value  # type: ignore[attr-defined]
        return Correction(
            self.field, value.entry() if isinstance(value, DocumentBody | GuardianBody) else value, self.reason
        )


class NameValue(StrictModel):
    """A corrected name."""

    value: Annotated[str, field(IDENTITY, max_length=400)]


class DocumentValue(StrictModel):
    """A corrected document."""

    value: Annotated[DocumentBody, field(IDENTITY)]


class BirthDateValue(StrictModel):
    """A corrected birth date."""

    value: Annotated[date | None, field(IDENTITY)]


class SexValue(StrictModel):
    """A corrected sex."""

    value: Annotated[Sex | None, field(IDENTITY)]


class PhoneValue(StrictModel):
    """A corrected phone number."""

    value: Annotated[str | None, field(IDENTITY, max_length=40)]


class GuardianValue(StrictModel):
    """A corrected guardian."""

    value: Annotated[GuardianBody | None, field(MINOR)]


class RoomValue(StrictModel):
    """A corrected room."""

    value: Annotated[str, field(STAY, max_length=40)]


class TimeValue(StrictModel):
    """A corrected time of arrival or departure."""

    value: Annotated[Instant, field(STAY)]


class ExpectedUntilValue(StrictModel):
    """A corrected expected end."""

    value: Annotated[Instant | None, field(STAY)]


class LegalBasisValue(StrictModel):
    """A corrected legal basis."""

    value: Annotated[LegalBasis, field(STAY)]


VALUES: dict[CorrectedField, type[StrictModel]] = {
    CorrectedField.NAME: NameValue,
    CorrectedField.DOCUMENT: DocumentValue,
    CorrectedField.BIRTH_DATE: BirthDateValue,
    CorrectedField.SEX: SexValue,
    CorrectedField.PHONE: PhoneValue,
    CorrectedField.GUARDIAN: GuardianValue,
    CorrectedField.ROOM: RoomValue,
    CorrectedField.ARRIVED_AT: TimeValue,
    CorrectedField.EXPECTED_UNTIL: ExpectedUntilValue,
    CorrectedField.DEPARTED_AT: TimeValue,
    CorrectedField.LEGAL_BASIS: LegalBasisValue,
}


class StubBody(StrictModel):
    """Premises that a clerk cannot find, to be inspected."""

    kind: Annotated[PremisesKind, field(PLACE)]
    address: Annotated[str, field(PLACE, min_length=1, max_length=200)]
    division_code: Annotated[str, field(PLACE, pattern=r"^[0-9]{6,12}$")]

    def entry(self) -> StubEntry:
        """Return it as the domain takes it."""
        return StubEntry(self.kind, self.address, self.division_code)


class LookupBody(StrictModel):
    """Whom or what to look up: a document, or a room."""

    document: Annotated[DocumentBody | None, field(SEARCH)] = None
    premises_id: Annotated[UUID | None, field(SEARCH)] = None
    room: Annotated[str | None, field(SEARCH, max_length=40)] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "LookupBody":
        by_document = self.document is not None
        by_room = self.premises_id is not None and self.room is not None
        if by_document == by_room or (by_document and (self.premises_id or self.room)):
            raise fault("document-or-room", N_("Give a document, or premises and room."))
        return self


class MatchingTokenBody(StrictModel):
    """The document of a notice that is being proposed."""

    document: Annotated[DocumentBody, field(NOTICE)]
