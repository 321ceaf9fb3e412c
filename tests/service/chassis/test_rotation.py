"""A wrapping key is rotated while people are read: everything moves under the new key, and the old one may go."""

import asyncio
import base64
import json
import os
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from anju.cli import keys as command
from chassis.data import audit, rotation
from chassis.data.db import Database
from chassis.data.encryption import Keyring, TamperedValue, WrappingKeyMissing
from chassis.data.tables import audit_entries, subject_keys
from tests.command_line import anju, document

pytestmark = pytest.mark.postgres
OLD, NEW = os.urandom(32), os.urandom(32)
PERSONS = 7
BEFORE, OVERLAP, AFTER = (
    Keyring({"k1": OLD}, "k1"),
    Keyring({"k1": OLD, "k2": NEW}, "k2"),
    Keyring({"k2": NEW}, "k2"),
)


async def registered(db: Database) -> dict[UUID, bytes]:
    """Persons whose names are sealed, and an audit log that lost its oldest part, all under the old key."""
    sealed = {}
    async with db.transaction() as tx:
        for number in range(PERSONS):
            person = uuid4()
            sealed[person] = (await BEFORE.create(tx, person)).seal(f"name {number}", "name")
    now = datetime.now(UTC)
    async with db.transaction() as tx:
        audit.record(tx, [audit.Entry("somebody", "unit", "person.read", each) for each in sealed], now)
    async with db.transaction() as tx:
        assert await audit.forget(tx, now + timedelta(seconds=1), 3, keyring=BEFORE) == 3
    return sealed


async def names_by(ring: Keyring, db: Database, sealed: dict[UUID, bytes]) -> list[str]:
    async with db.read() as tx:
        found = await ring.subject_keys(tx, list(sealed))
    return sorted(found[person].open(value, "name") for person, value in sealed.items())


NAMES = [f"name {number}" for number in range(PERSONS)]


async def test_all_of_it_moves_and_the_old_key_may_go(db: Database) -> None:
    sealed = await registered(db)
    moved: list[int] = []
    while not moved or moved[-1]:
        async with db.transaction() as tx:
            moved.append(await rotation.rewrap(tx, OVERLAP, 3))
        assert await names_by(OVERLAP, db, sealed) == NAMES, "who is read between two batches is read"
    assert moved == [3, 3, 1, 0]
    assert await names_by(AFTER, db, sealed) == NAMES
    assert (await audit.verify(db, AFTER)).first_bad is None
    async with db.read() as tx:
        old, new = await rotation.in_use(tx, OVERLAP, {"k1", "k2"})
    assert (old.key, old.subjects, old.proof, old.here, old.active) == ("k1", 0, False, True, False)
    assert (new.key, new.subjects, new.proof, new.here, new.active) == ("k2", PERSONS, True, True, True)


async def test_a_key_that_was_removed_too_early_is_named(db: Database) -> None:
    sealed = await registered(db)
    with pytest.raises(WrappingKeyMissing, match="k1"):
        await names_by(AFTER, db, sealed)
    with pytest.raises(WrappingKeyMissing, match="k1"):
        async with db.transaction() as tx:
            await rotation.rewrap(tx, AFTER, 100)


async def test_a_row_that_was_changed_is_not_laid_under_a_new_key(db: Database) -> None:
    await registered(db)
    async with db.transaction() as tx:
        await tx.execute(sa.update(subject_keys).values(wrapped=os.urandom(60)))
    with pytest.raises(TamperedValue):
        async with db.transaction() as tx:
            await rotation.rewrap(tx, OVERLAP, 100)


async def test_who_is_held_just_now_is_waited_for(db: Database) -> None:
    """Somebody forgets a person while keys move: the rest moves at once, and nobody is left behind or comes back."""
    sealed = await registered(db)
    forgotten = next(iter(sealed))
    async with db.transaction() as forgetting:
        await forgetting.execute(sa.delete(subject_keys).where(subject_keys.c.subject_id == forgotten))
        async with db.transaction() as tx:
            assert await rotation.rewrap(tx, OVERLAP, 100) == PERSONS - 1
        async with db.transaction() as tx:
            waiting = asyncio.create_task(rotation.rewrap(tx, OVERLAP, 100))
            done, _ = await asyncio.wait({waiting}, timeout=0.2)
            assert not done, "it does not say that all is done while one is not"
            await forgetting.execute(sa.text("ROLLBACK"))
            assert await waiting == 1
    assert await names_by(AFTER, db, sealed) == NAMES


@pytest.fixture
def _settings(dsn: str, own_logging: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's settings during the overlap, of a service whose database this is."""
    monkeypatch.setenv("ANJU_HOUSING_DATABASE_URL", dsn)
    set_keys(monkeypatch, k1=OLD, k2=NEW)
    monkeypatch.setenv("ANJU_HOUSING_ENCRYPTION_ACTIVE", "k2")
    monkeypatch.setattr(command, "BATCH", 3)


def set_keys(monkeypatch: pytest.MonkeyPatch, **keys: bytes) -> None:
    """Put wrapping keys into the settings."""
    encoded = {name: base64.b64encode(key).decode() for name, key in keys.items()}
    monkeypatch.setenv("ANJU_HOUSING_ENCRYPTION_KEYS", json.dumps(encoded))


@pytest.mark.usefixtures("_settings")
async def test_the_commands_of_a_rotation(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = await registered(db)
    shown = await anju("keys", "status", "housing")
    assert [line.split() for line in shown.stdout.splitlines()[1:]] == [
        ["k1", str(PERSONS), "yes", "yes"],
        ["k2", "0", "yes", "yes"],
    ]
    told = await anju("keys", "rewrap", "housing")
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout == (
        f"{PERSONS} persons' keys of housing moved under k2; nothing lies under another\n"
        "may leave ANJU_HOUSING_ENCRYPTION_KEYS: k1\n"
    )
    assert await document("keys", "rewrap", "housing") == {
        "service": "housing",
        "active": "k2",
        "moved": 0,
        "removable": ["k1"],
    }
    set_keys(monkeypatch, k2=NEW)
    (only,) = await document("keys", "status", "housing")
    assert only == {"key": "k2", "subjects": PERSONS, "proof": True, "here": True, "active": True}
    assert (await document("audit", "verify", "housing"))["first_bad"] is None
    assert await names_by(AFTER, db, sealed) == NAMES
    async with db.read() as tx:
        noted = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "keys.rewrapped"))
    assert [(row.subject, row.detail) for row in noted] == [("k2", {"moved": PERSONS}), ("k2", {"moved": 0})]
    assert base64.b64encode(NEW).decode() not in told.stdout + shown.stdout


@pytest.mark.usefixtures("_settings")
async def test_the_commands_name_a_key_that_is_missing(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await registered(db)
    set_keys(monkeypatch, k2=NEW)
    for words in (("status",), ("rewrap",)):
        refused = await anju("keys", *words, "housing")
        assert refused.exit_code == 1
        assert refused.stderr.startswith("anju: ANJU_HOUSING_ENCRYPTION_KEYS lacks k1: put it back")
        assert refused.stderr.count("\n") == 1
