"""Who a document stands for: one person, also where two desks enter the same document at the same moment."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from chassis.data.db import Database, Transaction
from services.registration.domain.documents import Document, DocumentKind, Misread
from services.registration.domain.tokens import TokenKeys
from services.registration.storage.persons import identify
from services.registration.vault import Vault
from tests.service.registration.conftest import KEYRING
from tests.waiting import until

pytestmark = pytest.mark.postgres

OLD_KEYS = {"l1": b"l" * 32}
VAULT = Vault(KEYRING, lookup=TokenKeys(OLD_KEYS, "l1"), matching=TokenKeys({"m1": b"m" * 32}, "m1"))
PASSPORT = Document(DocumentKind.PASSPORT, "X0000001", "UTO")


async def test_who_is_registered_elsewhere_at_this_moment_is_waited_for(db: Database) -> None:
    """The other desk's transaction is open: this one can neither see its person nor make a second."""

    async def identify_too() -> tuple[object, object]:
        async with db.transaction() as tx:
            return await identify(tx, VAULT, PASSPORT)

    async with db.transaction() as first:
        person = await identify(first, VAULT, PASSPORT)
        second = asyncio.create_task(identify_too())
        await until(lambda: _waits_for_a_lock(first))
    assert await second == person


async def test_a_person_is_found_under_a_look_up_key_that_was_replaced(db: Database) -> None:
    renewed = replace(VAULT, lookup=TokenKeys({**OLD_KEYS, "l2": b"n" * 32}, "l2"))
    async with db.transaction() as tx:
        assert await identify(tx, VAULT, PASSPORT) == await identify(tx, renewed, PASSPORT)


async def test_a_number_to_verify_is_somebody_new_each_time(db: Database) -> None:
    misread = replace(PASSPORT, misread=Misread.CHECK_DIGIT)
    async with db.transaction() as tx:
        found = [(await identify(tx, VAULT, each))[0] for each in (misread, misread, PASSPORT, PASSPORT)]
    assert len(set(found)) == 3
    assert found[2] == found[3]


async def _waits_for_a_lock(tx: Transaction) -> bool:
    return bool(await tx.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
