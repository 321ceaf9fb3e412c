"""Keyed tokens of documents: equal for equal documents, and worthless without a key that only registration holds."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from services.registration.domain.documents import Document

# HMAC-SHA-256 (RFC 2104) wants a key as long as its output (NIST SP 800-107 section 5.3.4).
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the name of the key that made it."""

    key_id: str
    value: str


class TokenKeys:
    """The keys of one use (look-up or matching), by name. New tokens are made with the active one."""

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        if active not in keys:
            raise ValueError("the active token key is not among the keys")
        if any(len(key) < KEY_BYTES for key in keys.values()):
            raise ValueError(f"a token key has at least {KEY_BYTES} bytes")
        self._keys = dict(keys)
        self._active = active

    def token(self, document: Document) -> Token:
        """Return the token over kind, issuing country and normalised number."""
        return Token(self._active, _mac(self._keys[self._active], _whole(document)))

    def expiry_token(self, document: Document) -> Token | None:
        """Return the token that covers the expiry date too, None where no date is known.

        A replaced card keeps its number and gets a new date: only both together name one card.
        """
        if document.valid_until is None:
            return None
        content = f"{_whole(document)}|{document.valid_until.isoformat()}"
        return Token(self._active, _mac(self._keys[self._active], content))

    def tokens(self, document: Document) -> list[Token]:
        """Return the document's token under every key, the active one first: rotation overlaps."""
        names = [self._active, *(name for name in self._keys if name != self._active)]
        return [Token(name, _mac(self._keys[name], _whole(document))) for name in names]


def _whole(document: Document) -> str:
    # No part can hold the separator: the kind is an enum, country and number are letters and digits.
    return f"{document.kind}|{document.issuing_country}|{document.number}"


def _mac(key: bytes, content: str) -> str:
    digest = hmac.digest(key, content.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
