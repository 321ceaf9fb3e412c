"""Persons: one row per document that passes its check, found again by its look-up token."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.encryption import SubjectKey, erase
from chassis.data.prepared import Prepared
from services.registration.domain.documents import Document
from services.registration.storage.tables import corrections, persons, stays
from services.registration.vault import Vault

# One round trip, for a person who is known and for one who is new. Who is found is held as a stay's foreign key will
# hold it: `forget` cannot take the person away in between.
_found = (
    sa.select(persons.c.person_id)
    .where(
        persons.c.lookup_token == sa.any_(sa.bindparam("tokens", type_=ARRAY(sa.Text))),
        ~persons.c.to_verify,
        ~sa.bindparam("is_to_verify", type_=sa.Boolean),
    )
    .limit(1)
    .with_for_update(read=True, key_share=True)
    .cte("found")
)
_new = sa.select(
    sa.bindparam("new_id", type_=sa.Uuid),
    sa.bindparam("key_id", type_=sa.Text),
    sa.bindparam("token", type_=sa.Text),
    sa.bindparam("is_to_verify", type_=sa.Boolean),
).where(~sa.exists().select_from(_found))
_made = (
    insert(persons)
    .from_select(["person_id", "lookup_key_id", "lookup_token", "to_verify"], _new)
    .on_conflict_do_nothing()
    .returning(persons.c.person_id)
    .cte("made")
)
_FIND_OR_MAKE = Prepared(
    sa.union_all(
        sa.select(_found.c.person_id, sa.false().label("is_new")),
        sa.select(_made.c.person_id, sa.true().label("is_new")),
    )
)


async def identify(tx: Transaction, vault: Vault, document: Document) -> tuple[UUID, SubjectKey]:
    """Return the person whom the document stands for, with the person's data key; make both when they are new.

    A number that is still to be verified stands for nobody known: each time for a person of its own.
    """
    tokens = vault.lookup.tokens(document)
    values = {
        "tokens": [token.value for token in tokens],
        "is_to_verify": document.to_verify,
        "new_id": uuid7(),
        "key_id": tokens[0].key_id,
        "token": tokens[0].value,
    }
    rows = await tx.fetch(_FIND_OR_MAKE, values)
    while not rows:
        # Somebody else registered the person just now; the insert waited for that commit.
        rows = await tx.fetch(_FIND_OR_MAKE, values)
    person_id: UUID = rows[0].person_id
    if rows[0].is_new:
        return person_id, await vault.keyring.create(tx, person_id)
    return person_id, await vault.keyring.subject_key(tx, person_id, create=True)


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
