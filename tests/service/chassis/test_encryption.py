"""Envelope encryption: a value opens for its subject and field only, and never after its key is gone."""

import os
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.encryption import KeyErased, Keyring, TamperedValue
from chassis.data.tables import subject_keys

pytestmark = pytest.mark.postgres
OLD, NEW = os.urandom(32), os.urandom(32)


async def test_a_value_opens_for_its_subject_and_field_only(db: Database) -> None:
    ring, person, other = Keyring({"k1": OLD}, "k1"), uuid4(), uuid4()
    async with db.transaction() as tx:
        sealed = (await ring.create(tx, person)).seal("欧阳·买买提", "name")
        key, another = await ring.subject_key(tx, person), await ring.create(tx, other)
    assert key.open(sealed, "name") == "欧阳·买买提"
    for wrong, field in ((key, "phone"), (another, "name")):
        with pytest.raises(TamperedValue):
            wrong.open(sealed, field)
    with pytest.raises(TamperedValue):
        key.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "name")
    assert key.seal("x", "name") != key.seal("x", "name")


async def test_creating_a_key_twice_gives_the_same_one(db: Database) -> None:
    ring, person = Keyring({"k1": OLD}, "k1"), uuid4()
    async with db.transaction() as tx:
        assert await ring.create(tx, person) == await ring.create(tx, person)
        assert await ring.subject_key(tx, person, create=True) == await ring.subject_key(tx, person)


async def test_wrapping_keys_rotate_with_overlap(db: Database) -> None:
    person, later = uuid4(), uuid4()
    async with db.transaction() as tx:
        sealed = (await Keyring({"k1": OLD}, "k1").create(tx, person)).seal("a", "name")
        rotated = Keyring({"k1": OLD, "k2": NEW}, "k2")
        await rotated.create(tx, later)
        assert (await rotated.subject_key(tx, person)).open(sealed, "name") == "a"
        names = await tx.all(sa.select(subject_keys.c.wrapping_key).order_by(subject_keys.c.wrapping_key))
    assert [row.wrapping_key for row in names] == ["k1", "k2"]


async def test_an_erased_subject_can_be_read_by_nobody(db: Database) -> None:
    ring, person = Keyring({"k1": OLD}, "k1"), uuid4()
    async with db.transaction() as tx:
        await ring.create(tx, person)
        await tx.execute(sa.delete(subject_keys))
        assert await ring.subject_keys(tx, [person]) == {}
        with pytest.raises(KeyErased):
            await ring.subject_key(tx, person)


def test_a_keyring_that_could_not_work_is_refused() -> None:
    with pytest.raises(ValueError, match="active"):
        Keyring({"k1": OLD}, "k2")
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring({"k1": b"short"}, "k1")


def test_a_key_is_not_shown() -> None:
    from chassis.data.encryption import SubjectKey

    assert "k" * 32 not in repr(SubjectKey(uuid4(), b"k" * 32))
