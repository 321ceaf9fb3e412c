"""A stay for a screen that others can see: enough to tell two people apart, not enough to know who they are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.registration.domain.documents import DocumentKind, Misread
from services.registration.domain.persons import mask_name, mask_number
from services.registration.domain.stays import StayAt, StayKind


@dataclass(frozen=True, slots=True)
class MaskedStay:
    """A stay with its person masked: 陈*华, first four and last two of the number."""

    stay_id: UUID
    name: str
    document_kind: DocumentKind
    number: str
    misread: Misread | None
    premises_id: UUID
    address: str | None
    room: str
    kind: StayKind
    arrived_at: datetime
    expected_until: datetime | None
    departed_at: datetime | None
    registered_at: datetime
    registered_unit: str
    receipt_number: str
    days_late: int


def mask(found: StayAt) -> MaskedStay:
    """Return a stay with its person masked."""
    stay, document = found.stay, found.stay.person.document
    return MaskedStay(
        stay_id=stay.stay_id,
        name=mask_name(stay.person.name),
        document_kind=document.kind,
        number=mask_number(document.number),
        misread=document.misread,
        premises_id=stay.premises_id,
        address=found.address,
        room=stay.room,
        kind=stay.kind,
        arrived_at=stay.arrived_at,
        expected_until=stay.expected_until,
        departed_at=stay.departed_at,
        registered_at=stay.registered_at,
        registered_unit=stay.registered_unit,
        receipt_number=stay.receipt_number,
        days_late=stay.days_late,
    )
