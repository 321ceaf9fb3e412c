"""Many closed dead letters cost nobody who counts the open ones or forgets the oldest; a service's schema has that."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events import dead_letters
from tests.parts import Postgres

pytestmark = pytest.mark.postgres

# So many that PostgreSQL does not take reading all of them for the shorter way.
CLOSED = 20_000
PUT_ASIDE = """
    INSERT INTO dead_letters ("group", topic, partition, "offset", reason, state, created_at, closed_at)
    SELECT 'reader', 'topic', 0, n, 'broken', CASE WHEN n % 2000 = 0 THEN 'open' ELSE 'discarded' END,
        timestamptz '2026-01-01',
        CASE WHEN n % 2000 <> 0 THEN timestamptz '2026-01-02 00:00Z' + n * interval '1 second' END
    FROM generate_series(1, :count) AS n
"""


def _scans(plan: dict[str, Any]) -> set[str]:
    """Names of indexes that a plan reads, and of tables that it reads whole."""
    its = {plan.get("Index Name") or f"all of {plan['Relation Name']}"} if "Scan" in plan["Node Type"] else set()
    # What an index of rows leads to is read by row.
    its = {name for name in its if plan["Node Type"] != "Bitmap Heap Scan"}
    return its.union(*(_scans(each) for each in plan.get("Plans", ())))


@pytest.mark.parametrize("service", ["registration", "housing", "alerts", "reporting"])
async def test_dead_letters_are_found_by_index(service: str, postgres: Postgres) -> None:
    dsn = await postgres.new_database()
    await migrate(dsn, service)
    db = Database(dsn, service=service)
    try:
        async with db.transaction() as tx:
            await tx.execute(sa.text(PUT_ASIDE).bindparams(count=CLOSED))
            await tx.execute(sa.text("ANALYZE dead_letters"))
        counting = "SELECT topic, count(*) FROM dead_letters WHERE state = 'open' GROUP BY topic"
        oldest = (
            "SELECT id FROM dead_letters WHERE closed_at <= timestamptz '2026-01-02 01:00Z' ORDER BY closed_at LIMIT 9"
        )
        async with db.read() as tx:
            plans = [await tx.scalar(sa.text(f"EXPLAIN (FORMAT json) {query}")) for query in (counting, oldest)]
        assert [_scans(plan[0]["Plan"]) for plan in plans] == [{"dead_letters_open"}, {"dead_letters_closed_at"}]
        assert await dead_letters.count_open(db) == {"topic": CLOSED // 2000}
        async with db.transaction() as tx:
            assert await dead_letters.forget(tx, datetime(2026, 1, 2, 1, tzinfo=UTC), 100) == 100
    finally:
        await db.dispose()
