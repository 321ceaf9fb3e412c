"""Whom a notice names, and the commitment by which an approval signs it without storing it in the clear."""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

# As long as the hash (RFC 2104, section 3): a salt of that length cannot be guessed, a document number can.
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Document:
    """The one document that a notice names. `issuing_country` is ISO 3166 alpha-3."""

    kind: str
    number: str
    issuing_country: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The one person whom a notice names; only ever stored sealed."""

    document: Document
    name: str | None = None
    birth_date: date | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the subject as JSON values, absent fields left out."""
        born = {"birth_date": self.birth_date.isoformat()} if self.birth_date else {}
        named = {"name": self.name} if self.name else {}
        return {"document": asdict(self.document), **named, **born}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Subject":
        """Read what `to_json` wrote."""
        born = value.get("birth_date")
        return cls(Document(**value["document"]), value.get("name"), date.fromisoformat(born) if born else None)


def commitment(subject: Subject, salt: bytes) -> str:
    """HMAC-SHA-256 (RFC 2104) of the subject under a secret salt, in hex.

    It stands in the signed content in place of name and number: a plain hash of a document number can be guessed.
    """
    text = json.dumps(subject.to_json(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()
