"""The counts of days that housing publishes, worked out by hand; late entries move their own day."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.events.tables import outbox
from services.housing.storage.tables import closures, hazards, inspections
from services.housing.use_cases.publish_statistics import publish_statistics
from tests.service.housing.conftest import NOW, Register

pytestmark = pytest.mark.postgres
HOUR = timedelta(hours=1)


async def published(db: Database, days_on: int = 0) -> dict[str, Any]:
    """What one more count publishes, by day; then the outbox is empty again."""
    async with db.transaction() as tx:
        await publish_statistics(tx, NOW + timedelta(days=days_on))
    async with db.transaction() as tx:
        rows = await tx.all(sa.select(outbox).where(outbox.c.topic == "housing.statistics").order_by(outbox.c.id))
        await tx.execute(sa.delete(outbox))
    return {row.key.partition("/")[0]: json.loads(row.value) for row in rows}


async def test_days_are_counted_from_what_happened_on_them(db: Database, register: Register) -> None:
    hotel = (await register()).premises_id
    first = await published(db)
    assert list(first) == ["2026-11-24"]
    assert (first["2026-11-24"]["kind"], first["2026-11-24"]["premises_open"]) == ("hotel", 1)
    assert await published(db) == {}

    inspected, visit = NOW + 24 * HOUR, uuid4()
    officer = {"inspected_by": "i", "inspected_unit": "station-01"}
    async with db.transaction() as tx:
        for outcome, inspection_id in (("done", visit), ("nobody_home", uuid4())):
            row = {"inspection_id": inspection_id, "premises_id": hotel, "checklist_version": "1", **officer}
            row |= {"entry_basis": "consent", "outcome": outcome, "inspected_at": inspected, "recorded_at": inspected}
            await tx.execute(sa.insert(inspections).values(row))
        for item, cleared in (("fire_exits", 48 * HOUR), ("flammables", None)):
            end: dict[str, Any] = {}
            if cleared:
                end = {"cleared_at": inspected + cleared, "cleared_by": "i", "cleared_unit": "u", "cleared_note": "通"}
            found = {"hazard_id": uuid4(), "premises_id": hotel, "item": item, "severity": "imminent"}
            found |= {"found_at": inspected, "found_by_inspection": visit, **end}
            await tx.execute(sa.insert(hazards).values(found))
        shut = {"closure_id": uuid4(), "premises_id": hotel, "closed_at": inspected + HOUR, "reason": "r"}
        shut |= {"headcount": 0, "closed_by": "i", "closed_unit": "u"}
        await tx.execute(sa.insert(closures).values(shut))
    days = await published(db, 3)
    assert sorted(days) == ["2026-11-25", "2026-11-27"]
    second, fourth = days["2026-11-25"], days["2026-11-27"]
    assert (second["premises_open"], second["premises_closed"]) == (0, 1)
    assert second["inspections"] == {"done": 1, "nobody_home": 1, "refused": 0}
    assert (second["hazards_found"]["imminent"], second["hazards_open"]["imminent"]) == (2, 2)
    assert (fourth["hazards_cleared"]["imminent"], fourth["hazards_open"]["imminent"]) == (1, 1)
    assert fourth["clear_seconds"] == {"minor": 0, "serious": 0, "imminent": 48 * 3600}
    assert fourth["premises_closed"] == 1

    # It had been shut a day earlier: that day is published anew, and the next ones stay as they are.
    async with db.transaction() as tx:
        await tx.execute(sa.update(closures).values(closed_at=NOW + HOUR))
    again = await published(db, 3)
    assert {day: (its["premises_closed"], its["version"][-2:]) for day, its in again.items()} == {
        "2026-11-24": (1, ".2")
    }
    # A visit that never was counts nowhere; the day ends as it did.
    async with db.transaction() as tx:
        await tx.execute(sa.delete(inspections).where(inspections.c.outcome == "nobody_home"))
    assert (await published(db, 3))["2026-11-25"]["inspections"] == {"done": 1, "nobody_home": 0, "refused": 0}
    assert date.fromisoformat(next(iter(await published(db, 4)))) == date(2026, 11, 28)
