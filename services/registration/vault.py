"""The keys that registration holds, and how a person is sealed with them and opened again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from chassis.data.encryption import Keyring, SubjectKey
from services.registration.domain.documents import Document, DocumentKind, Misread, Sex
from services.registration.domain.persons import Guardian, Person
from services.registration.domain.stays import MatchingTokens
from services.registration.domain.tokens import TokenKeys


@dataclass(frozen=True, slots=True)
class Vault:
    """Data keys of persons, keys of look-up tokens, and keys of matching tokens: three kinds, never mixed."""

    keyring: Keyring
    lookup: TokenKeys
    matching: TokenKeys

    def matching_tokens(self, document: Document) -> MatchingTokens:
        """Return what alerts may compare; nothing for a number that is still to be verified."""
        if document.to_verify:
            return MatchingTokens()
        return MatchingTokens(self.matching.token(document), self.matching.expiry_token(document))


def seal_person(key: SubjectKey, person: Person, guardian: Guardian | None) -> dict[str, bytes | None]:
    """Return the sealed columns of a stay."""
    return {
        "name": key.seal(person.name, "name"),
        "document": key.seal(document_text(person.document), "document"),
        "birth_date": key.seal(person.birth_date.isoformat(), "birth_date") if person.birth_date else None,
        "sex": key.seal(person.sex, "sex") if person.sex else None,
        "phone": key.seal(person.phone, "phone") if person.phone else None,
        "guardian": key.seal(guardian_text(guardian), "guardian") if guardian else None,
    }


def open_person(key: SubjectKey, row: Mapping[str, Any]) -> tuple[Person, Guardian | None]:
    """Open the sealed columns of a stay. Raises TamperedValue."""

    def opened(name: str) -> str | None:
        return key.open(row[name], name) if row[name] is not None else None

    number = orjson.loads(key.open(row["document"], "document"))
    birth_date, sex, guardian = opened("birth_date"), opened("sex"), opened("guardian")
    misread = Misread(row["misread"]) if row["misread"] else None
    born = date.fromisoformat(birth_date) if birth_date else None
    known_sex = Sex(sex) if sex else None
    speaks = misread is None and number["kind"] != DocumentKind.PASSPORT
    document = Document(
        kind=DocumentKind(number["kind"]),
        number=number["number"],
        issuing_country=number["issuing_country"],
        valid_until=date.fromisoformat(number["valid_until"]) if number["valid_until"] else None,
        birth_date=born if speaks else None,
        sex=known_sex if speaks else None,
        misread=misread,
    )
    person = Person(key.open(row["name"], "name"), document, born, known_sex, opened("phone"))
    return person, Guardian(**orjson.loads(guardian)) if guardian else None


def document_text(document: Document) -> str:
    """Return a document as the text that is sealed."""
    return orjson.dumps(
        {
            "kind": document.kind,
            "number": document.number,
            "issuing_country": document.issuing_country,
            "valid_until": document.valid_until,
        }
    ).decode()


def guardian_text(guardian: Guardian) -> str:
    """Return a guardian's contact as the text that is sealed."""
    return orjson.dumps(guardian).decode()
