"""The health page says what a schema lacks, also one that was right before, and when it is newer than the program."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.web import health
from chassis.web.health import Health, database_check
from tests.parts import Postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
async def db(postgres: Postgres) -> AsyncIterator[Database]:
    """An empty database of reporting's."""
    db = Database(await postgres.new_database(), service="reporting")
    yield db
    await db.dispose()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)


async def claim(db: Database, revision: str) -> None:
    """Let the schema say that it is of this revision, as one restored from an older backup does."""
    async with db.transaction() as tx:
        await tx.execute(sa.text("UPDATE alembic_version SET version_num = :revision").bindparams(revision=revision))


async def test_migrations_behind_are_named_with_their_command_until_they_are_applied(db: Database) -> None:
    page = Health([database_check(db, "reporting")])
    (reason,) = await page.reasons()
    assert reason.startswith("database: migrations not applied (0001, 0002,")
    assert reason.endswith("): run anju migrate reporting")
    await migrate(db._url, "reporting")
    assert await page.reasons() == []


async def test_a_schema_that_was_right_and_is_restored_older_is_noticed(db: Database) -> None:
    await migrate(db._url, "reporting")
    page = Health([database_check(db, "reporting")])
    assert await page.reasons() == []
    async with db.read() as tx:
        newest = await tx.scalar(sa.text("SELECT version_num FROM alembic_version"))
    await claim(db, "0002")
    (reason,) = await page.reasons()
    assert reason.startswith("database: migrations not applied (0003")
    await claim(db, newest)
    assert await page.reasons() == []


async def test_a_schema_that_is_newer_is_said(db: Database) -> None:
    await migrate(db._url, "reporting")
    page = Health([database_check(db, "reporting")])
    await claim(db, "9999")
    assert await page.reasons() == [
        "database: its schema is newer than this program: run the version of Anju that migrated it"
    ]
