"""Envelope encryption at rest: one data key per subject, wrapped by a key that only the service's settings hold.

AES-256-GCM (NIST SP 800-38D) with 96-bit random nonces. Deleting a subject's row in `subject_keys` erases the subject.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from chassis.data.prepared import Prepared
from chassis.data.tables import subject_keys

NONCE_BYTES = 12
KEY_BYTES = 32

_CREATE = Prepared(
    insert(subject_keys).on_conflict_do_nothing(index_elements=["subject_id"]).returning(subject_keys.c.subject_id),
    ["subject_id", "wrapping_key", "wrapped"],
)


class KeyErased(LookupError):
    """The subject's data key is gone: what was sealed with it can be read by nobody any more."""


class TamperedValue(ValueError):
    """A sealed value does not belong to this subject and field, or was changed."""


class WrappingKeyMissing(LookupError):
    """The settings lack the wrapping key of this name, under which subjects' keys lie: it was removed too early."""


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """One subject's data key. A sealed value opens only for the subject and the field that it was sealed for."""

    subject_id: UUID
    _key: bytes = field(repr=False)
    # Made once: a person has several fields.
    _cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cipher", AESGCM(self._key))

    def seal(self, text: str, name: str) -> bytes:
        """Encrypt the value of field `name`; returns nonce and ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), self._context(name))

    def open(self, sealed: bytes, name: str) -> str:
        """Decrypt a value of field `name`. Raises TamperedValue."""
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._context(name))
        except InvalidTag:
            raise TamperedValue(name) from None
        return plain.decode()

    def _context(self, name: str) -> bytes:
        return self.subject_id.bytes + name.encode()


async def erase(tx: Transaction, ids: Collection[UUID]) -> None:
    """Delete subjects' keys: what was sealed with them can be opened by nobody any more."""
    await tx.execute(sa.delete(subject_keys).where(subject_keys.c.subject_id.in_(ids)))


class Keyring:
    """The wrapping keys by name. New subjects use the active one; older ones stay readable while their key is here."""

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        if active not in keys:
            raise ValueError("the active wrapping key is not among the keys")
        if any(len(key) != KEY_BYTES for key in keys.values()):
            raise ValueError(f"a wrapping key has {KEY_BYTES} bytes")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._active = active

    async def create(self, tx: Transaction, subject_id: UUID) -> SubjectKey:
        """Make and store a subject's key; one that exists already is returned as it is."""
        made_key = SubjectKey(subject_id, AESGCM.generate_key(bit_length=KEY_BYTES * 8))
        row = {"subject_id": subject_id, "wrapping_key": self._active, "wrapped": self._wrap(made_key)}
        return made_key if await tx.fetch(_CREATE, row) else await self.subject_key(tx, subject_id)

    async def subject_key(self, tx: Transaction, subject_id: UUID, *, create: bool = False) -> SubjectKey:
        """Load a subject's key. Raises KeyErased when there is none, unless `create` makes one."""
        found = await self.subject_keys(tx, [subject_id])
        if subject_id in found:
            return found[subject_id]
        if create:
            return await self.create(tx, subject_id)
        raise KeyErased(subject_id)

    async def subject_keys(self, tx: Transaction, ids: Collection[UUID]) -> dict[UUID, SubjectKey]:
        """Load many subjects' keys at once; erased ones are absent."""
        rows = await tx.all(sa.select(subject_keys).where(subject_keys.c.subject_id.in_(ids)))
        return {row.subject_id: self._unwrap(row) for row in rows}

    @property
    def active(self) -> str:
        """Name of the key that wraps new ones."""
        return self._active

    def holds(self, name: str) -> bool:
        """Whether the key of this name is here."""
        return name in self._keys

    def rewrap(self, row: sa.Row[tuple[object, ...]]) -> bytes:
        """Return the key of a row of `subject_keys`, wrapped by the active key; raises as `subject_key` does."""
        return self._wrap(self._unwrap(row))

    def _wrap(self, key: SubjectKey) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._keys[self._active].encrypt(nonce, key._key, key.subject_id.bytes)

    def attest(self, content: bytes) -> tuple[str, bytes]:
        """Return a proof that a holder of the active key stands behind `content` (GMAC), and that key's name."""
        nonce = os.urandom(NONCE_BYTES)
        return self._active, nonce + self._keys[self._active].encrypt(nonce, b"", content)

    def attested(self, content: bytes, key: str, proof: bytes) -> bool:
        """Whether `attest` gave this proof for this content; False too when its key is not here."""
        if key not in self._keys or len(proof) < NONCE_BYTES:
            return False
        try:
            self._keys[key].decrypt(proof[:NONCE_BYTES], proof[NONCE_BYTES:], content)
        except InvalidTag:
            return False
        return True

    def _unwrap(self, row: sa.Row[tuple[object, ...]]) -> SubjectKey:
        subject_id: UUID = row.subject_id
        wrapping = self._keys.get(row.wrapping_key)
        if wrapping is None:
            raise WrappingKeyMissing(row.wrapping_key)
        try:
            key = wrapping.decrypt(row.wrapped[:NONCE_BYTES], row.wrapped[NONCE_BYTES:], subject_id.bytes)
        except InvalidTag:
            raise TamperedValue("subject key") from None
        return SubjectKey(subject_id, key)
