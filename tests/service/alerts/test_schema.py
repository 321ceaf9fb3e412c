"""The migration makes exactly the tables of storage, and the database refuses bad states."""

from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis.data.db import Database
from services.alerts.storage.department_tables import department_events
from services.alerts.storage.handover_tables import handovers
from services.alerts.storage.tables import alerts, metadata, notice_terms, notices
from tests.service.alerts.conftest import Matcher, NoticeDesk, stay_event, token_of

pytestmark = pytest.mark.postgres


async def test_migration_and_tables_agree(db: Database) -> None:
    """No difference in tables, columns, indexes or keys; CHECKs are compared by name and text."""

    def differences(connection: sa.Connection) -> list[Any]:
        own = set(metadata.tables)
        assert {handovers.name, department_events.name} <= own
        options = {"include_name": lambda name, kind, _: kind != "table" or name in own, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        there = await connection.run_sync(_checks)
    assert there == {
        (table.name, check.name)
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, sa.CheckConstraint)
    }


def _checks(connection: sa.Connection) -> set[tuple[str, str | None]]:
    inspector = sa.inspect(connection)
    return {(table, check["name"]) for table in metadata.tables for check in inspector.get_check_constraints(table)}


@pytest.mark.parametrize(
    "bad",
    [
        {"state": "open"},
        {"state": "acknowledged"},  # nobody owns it
        {"due_at": None},
        {"owner": "a", "owner_name": "a", "owner_unit": "u"},  # new, and owned
        {"severity": "bad"},
        {"rule": "overcrowded"},
        {"stay_id": None},
        {"state": "closed", "due_at": None},  # without an outcome
    ],
)
async def test_an_alert_in_a_bad_state_is_refused(
    db: Database, desk: NoticeDesk, matcher: Matcher, bad: dict[str, Any]
) -> None:
    """Whatever the code forgets, the database does not take."""
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    with pytest.raises(sa.exc.IntegrityError):
        async with db.transaction() as tx:
            await tx.execute(sa.update(alerts).values(bad))


@pytest.mark.parametrize("column", ["approver", "approver_unit"])
async def test_a_term_approved_by_its_own_author_or_unit_is_refused(
    db: Database, desk: NoticeDesk, column: str
) -> None:
    """Two people of two units, also by hand."""
    await desk.activate("1")
    own = {"approver": notice_terms.c.proposer, "approver_unit": notice_terms.c.proposer_unit}[column]
    with pytest.raises(sa.exc.IntegrityError):
        async with db.transaction() as tx:
            await tx.execute(sa.update(notice_terms).values({column: own}))


@pytest.mark.parametrize("bad", [{"state": "ended"}, {"state": "proposed"}, {"running_term": 7}, {"why": "expired"}])
async def test_a_notice_in_a_bad_state_is_refused(db: Database, desk: NoticeDesk, bad: dict[str, Any]) -> None:
    """An end has a reason, an approved notice runs a term that exists."""
    await desk.activate("1")
    with pytest.raises(sa.exc.IntegrityError):
        async with db.transaction() as tx:
            await tx.execute(sa.update(notices).values(bad))


async def test_one_alert_per_notice_and_stay_by_the_database(db: Database, desk: NoticeDesk, matcher: Matcher) -> None:
    """A second row of the same notice and stay cannot be."""
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    async with db.read() as tx:
        row = dict((await tx.all(sa.select(alerts)))[0]._mapping)
    with pytest.raises(sa.exc.IntegrityError, match="alerts_one_per_notice_and_stay"):
        async with db.transaction() as tx:
            await tx.execute(sa.insert(alerts).values({**row, "alert_id": uuid4(), "serial": 2}))
