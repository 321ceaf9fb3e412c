"""Persons: one row per document that passes its check, found again by its look-up token."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.encryption import SubjectKey, erase
from chassis.data.prepared import Prepared
from services.registration.domain.documents import Document
from services.registration.domain.tokens import Token
from services.registration.storage.tables import corrections, persons, stays
from services.registration.vault import Vault

# Held as a stay's foreign key will hold it: `forget` cannot take the person away in between.
_FIND = Prepared(
    sa.select(persons.c.person_id)
    .where(persons.c.lookup_token == sa.any_(sa.bindparam("tokens", type_=ARRAY(sa.Text))), ~persons.c.to_verify)
    .limit(1)
    .with_for_update(read=True, key_share=True)
)
_MAKE = Prepared(
    insert(persons).on_conflict_do_nothing().returning(persons.c.person_id),
    ["person_id", "lookup_key_id", "lookup_token", "to_verify"],
)


async def identify(tx: Transaction, vault: Vault, document: Document) -> tuple[UUID, SubjectKey]:
    """Return the person whom the document stands for, with the person's data key; make both when they are new.

    A number that is still to be verified stands for nobody known: each time for a person of its own.
    """
    tokens = vault.lookup.tokens(document)
    found = None if document.to_verify else await _find(tx, tokens)
    if found is None:
        made = await _make(tx, tokens[0], to_verify=document.to_verify)
        if made is not None:
            return made, await vault.keyring.create(tx, made)
        # Somebody else registered the same person just now; the insert waited for that commit.
        found = await _find(tx, tokens)
        assert found is not None
    return found, await vault.keyring.subject_key(tx, found, create=True)


async def ids_of(tx: Transaction, vault: Vault, document: Document) -> list[UUID]:
    """Return the persons registered with this number, under whichever look-up key; without any, nobody."""
    values = [token.value for token in vault.lookup.tokens(document)]
    rows = await tx.all(sa.select(persons.c.person_id).where(persons.c.lookup_token.in_(values)))
    return [row.person_id for row in rows]


async def forget(tx: Transaction, people: Collection[UUID]) -> None:
    """Delete those of the persons whom no stay names any more, with the keys that open what was sealed for them."""
    # Locked first: whoever is registering one of them commits before the look below, or finds the person gone.
    found = sa.select(persons.c.person_id).where(persons.c.person_id.in_(people)).order_by(persons.c.person_id)
    held = [row.person_id for row in await tx.all(found.with_for_update())]
    named = sa.or_(
        sa.exists().where(stays.c.person_id == persons.c.person_id),
        sa.exists().where(corrections.c.person_id == persons.c.person_id),
    )
    nameless = sa.delete(persons).where(persons.c.person_id.in_(held), ~named).returning(persons.c.person_id)
    await erase(tx, [row.person_id for row in await tx.all(nameless)])


async def _find(tx: Transaction, tokens: Sequence[Token]) -> UUID | None:
    rows = await tx.fetch(_FIND, {"tokens": [token.value for token in tokens]})
    return rows[0].person_id if rows else None


async def _make(tx: Transaction, token: Token, *, to_verify: bool) -> UUID | None:
    row = {"lookup_key_id": token.key_id, "lookup_token": token.value, "to_verify": to_verify}
    rows = await tx.fetch(_MAKE, {"person_id": uuid7(), **row})
    return rows[0].person_id if rows else None
