"""A fresh database with the plumbing tables and nothing else."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from chassis.data import tables as data_tables
from chassis.data.db import Database
from chassis.events import tables as events_tables
from tests.parts import Postgres


def _create(connection: sa.Connection) -> None:
    op = Operations(MigrationContext.configure(connection))
    data_tables.create(op)
    data_tables.create_audit_cut(op)
    events_tables.create(op)


@pytest.fixture
async def dsn(postgres: Postgres) -> str:
    """The address of a fresh, empty database."""
    return await postgres.new_database()


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Database]:
    """A database with the plumbing tables."""
    database = Database(dsn, service="test")
    async with database.engine.begin() as connection:
        await connection.run_sync(_create)
    yield database
    await database.dispose()
