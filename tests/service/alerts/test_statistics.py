"""The counts of days that alerts publishes: each alert once in each column, on the day of its latest such step."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.events.tables import outbox
from services.alerts.storage.tables import alert_changes, alerts
from services.alerts.use_cases.publish_statistics import publish_statistics
from tests.service.alerts.conftest import alert_rows, now
from tests.service.alerts.dwellings import headcount, premises, tell_headcounts, tell_premises

pytestmark = pytest.mark.postgres
BLOCKED = (("fire_exits", "imminent"),)


async def published(db: Database) -> list[dict[str, Any]]:
    """What one more count publishes; then the outbox is empty again."""
    async with db.transaction() as tx:
        await publish_statistics(tx, now())
    async with db.transaction() as tx:
        rows = await tx.all(sa.select(outbox).where(outbox.c.topic == "alerts.statistics").order_by(outbox.c.id))
        await tx.execute(sa.delete(outbox))
    return [json.loads(row.value) for row in rows]


async def test_raised_and_cleared_count_on_their_days(db: Database) -> None:
    await tell_headcounts(db, headcount(1, 3))
    await tell_premises(db, premises(1, BLOCKED))
    (raised,) = await published(db)
    assert (raised["kind"], raised["division_code"]) == ("unsafe_dwelling", "330199001")
    assert (raised["raised"], raised["cleared"], raised["retracted"]) == (1, 0, 0)
    assert await published(db) == []

    await tell_premises(db, premises(2))
    (cleared,) = await published(db)
    assert (cleared["raised"], cleared["cleared"], cleared["acknowledged"]) == (1, 1, 0)
    assert cleared["version"].endswith(".2")
    (row,) = await alert_rows(db)
    # Raised the day before after all: today keeps the step alone, with a day's worth of seconds more.
    async with db.transaction() as tx:
        await tx.execute(sa.update(alerts).values(raised_at=row.raised_at - timedelta(days=1)))
    moved = {each["day"]: (each["raised"], each["cleared"]) for each in await published(db)}
    assert sorted(moved.values()) == [(0, 1), (1, 0)]

    # An alert that is no more counts nowhere, within the days that are counted anew.
    async with db.transaction() as tx:
        await tx.execute(sa.delete(alert_changes))
        await tx.execute(sa.delete(alerts))
    assert {(each["raised"], each["cleared"]) for each in await published(db)} == {(0, 0)}
