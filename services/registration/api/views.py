"""What registration answers as JSON."""

from datetime import datetime
from typing import Any

from services.registration.domain.corrections import KeptCorrection
from services.registration.domain.documents import Document
from services.registration.domain.persons import Guardian, mask_number
from services.registration.domain.stays import MatchingTokens, Stay, StayAt
from services.registration.domain.tokens import Token
from services.registration.use_cases.queries import PremisesView
from services.registration.use_cases.read_stay import StayRead


def arrival(stay: Stay) -> dict[str, Any]:
    """Return the answer to an arrival."""
    return {
        "stay_id": str(stay.stay_id),
        "receipt_number": stay.receipt_number,
        "days_late": stay.days_late,
        "document_to_verify": stay.person.document.to_verify,
    }


def stay_read(read: StayRead) -> dict[str, Any]:
    """Return one stay unmasked; contact, officers and corrections only where the reader sees the whole."""
    stay = read.stay
    person: dict[str, Any] = {
        "name": stay.person.name,
        "document": _document(stay.person.document),
        "birth_date": stay.person.birth_date.isoformat() if stay.person.birth_date else None,
        "sex": stay.person.sex,
    }
    body = {
        **_where_and_when(stay),
        "premises": {
            "premises_id": str(stay.premises_id),
            "address": read.address,
            "division_code": stay.division_code,
        },
        "person": person,
        "document_to_verify": stay.person.document.to_verify,
    }
    if not read.whole:
        return body
    person["phone"] = stay.person.phone
    return {
        **body,
        "guardian": _guardian(stay.guardian),
        "legal_basis": stay.legal_basis,
        "registered_at": stay.registered_at.isoformat(),
        "registered_unit": stay.registered_unit,
        "receipt_number": stay.receipt_number,
        "days_late": stay.days_late,
        "corrections": [_correction(each) for each in read.corrections],
    }


def found(each: StayAt) -> dict[str, Any]:
    """Return a stay within a list: the name in full, of the number only what tells two people apart."""
    document = each.stay.person.document
    return {
        **_where_and_when(each.stay),
        "address": each.address,
        "person": {
            "name": each.stay.person.name,
            "document": {"kind": document.kind, "masked_number": mask_number(document.number)},
        },
        "document_to_verify": document.to_verify,
    }


def premises(view: PremisesView) -> dict[str, Any]:
    """Return premises with the free places of their rooms."""
    return {
        "premises_id": str(view.premises.premises_id),
        "kind": view.premises.kind,
        "address": view.premises.address,
        "division_code": view.premises.division_code,
        "status": view.premises.status,
        "rooms": [
            {"number": room.number, "type": room.type, "capacity": room.capacity, "free": room.free}
            for room in view.rooms
        ],
    }


def matching_tokens(tokens: MatchingTokens) -> dict[str, Any]:
    """Return a document's matching token, with the one over its expiry date where that is known."""
    assert tokens.token is not None
    expiry = {"expiry_token": _token(tokens.expiry_token)} if tokens.expiry_token else {}
    return {**_token(tokens.token), **expiry}


def _where_and_when(stay: Stay) -> dict[str, Any]:
    return {
        "stay_id": str(stay.stay_id),
        "premises_id": str(stay.premises_id),
        "room": stay.room,
        "kind": stay.kind,
        "arrived_at": stay.arrived_at.isoformat(),
        "expected_until": _time(stay.expected_until),
        "departed_at": _time(stay.departed_at),
    }


def _document(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "number": document.number,
        "issuing_country": document.issuing_country,
        "valid_until": document.valid_until.isoformat() if document.valid_until else None,
    }


def _guardian(guardian: Guardian | None) -> dict[str, str] | None:
    return {"name": guardian.name, "phone": guardian.phone, "relation": guardian.relation} if guardian else None


def _correction(kept: KeptCorrection) -> dict[str, Any]:
    return {
        "field": kept.field,
        "before": kept.before,
        "after": kept.after,
        "reason": kept.reason,
        "by": kept.corrected_by,
        "unit": kept.corrected_unit,
        "at": kept.corrected_at.isoformat(),
    }


def _token(token: Token) -> dict[str, str]:
    return {"key_id": token.key_id, "value": token.value}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
