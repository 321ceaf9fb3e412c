"""Signatures of approvals: Ed25519 (RFC 8032), made where notices are approved, checked where they are matched."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# Signed in front of every statement, so that a signature made for another purpose is never one of a notice.
CONTEXT = b"anju.notice-approval.v1\n"


class BadSignature(ValueError):
    """The signature is not by a known key over exactly this statement."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and the id of the key that made it."""

    key_id: str
    value: bytes


class Signer:
    """The private key of the notice desk. It never enters the database."""

    def __init__(self, key_id: str, private_key: Ed25519PrivateKey) -> None:
        self.key_id = key_id
        self._private_key = private_key

    def sign(self, statement: bytes) -> Signature:
        """Sign a statement."""
        return Signature(self.key_id, self._private_key.sign(CONTEXT + statement))


class Verifier:
    """The public keys by id: old ones stay until the last notice signed with them has ended."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    def verify(self, signature: Signature, statement: bytes) -> None:
        """Raise BadSignature unless a known key signed exactly `statement`."""
        key = self._keys.get(signature.key_id)
        if key is None:
            raise BadSignature("unknown key")
        try:
            key.verify(signature.value, CONTEXT + statement)
        except InvalidSignature:
            raise BadSignature("the statement was not signed") from None


def signing_key_from(private_key: bytes, keys: Mapping[str, bytes]) -> Signer:
    """Find the id of a private key (32 bytes) among the public ones. Raises ValueError when it has none there."""
    private = Ed25519PrivateKey.from_private_bytes(private_key)
    public = private.public_key().public_bytes_raw()
    for key_id, known in keys.items():
        if known == public:
            return Signer(key_id, private)
    raise ValueError("the signing key's public half is not among the keys that signatures are checked with")


def verifier_from(keys: Mapping[str, bytes]) -> Verifier:
    """Make a verifier of public keys (32 bytes each) by id."""
    return Verifier({key_id: Ed25519PublicKey.from_public_bytes(raw) for key_id, raw in keys.items()})
