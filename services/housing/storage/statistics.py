"""Counts of a day: reckoned from what stands here, and kept as they were last published."""

from collections.abc import Collection, Mapping
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Transaction
from services.housing.domain.statistics import DayCounts, Key, Sums
from services.housing.storage.tables import statistics

_ORDER = (statistics.c.day, statistics.c.division_code, statistics.c.kind)

# Each fact moves counts of its own day; so one that was entered late or taken back moves that day.
MOVES = sa.text(
    """
    WITH moves (at, premises_id, measure, amount) AS (
        SELECT registered_at, premises_id, 'premises_open', 1 FROM premises
        UNION ALL SELECT closed_at, premises_id, 'premises_open', -1 FROM closures
        UNION ALL SELECT closed_at, premises_id, 'premises_closed', 1 FROM closures
        UNION ALL SELECT reopened_at, premises_id, 'premises_open', 1 FROM closures WHERE reopened_at IS NOT NULL
        UNION ALL SELECT reopened_at, premises_id, 'premises_closed', -1 FROM closures WHERE reopened_at IS NOT NULL
        UNION ALL SELECT inspected_at, premises_id, 'inspections_' || outcome, 1 FROM inspections
        UNION ALL SELECT found_at, premises_id, 'hazards_found_' || severity, 1 FROM hazards
        UNION ALL SELECT found_at, premises_id, 'hazards_open_' || severity, 1 FROM hazards
        UNION ALL SELECT cleared_at, premises_id, 'hazards_cleared_' || severity, 1 FROM hazards
            WHERE cleared_at IS NOT NULL
        UNION ALL SELECT cleared_at, premises_id, 'hazards_open_' || severity, -1 FROM hazards
            WHERE cleared_at IS NOT NULL
        UNION ALL SELECT cleared_at, premises_id, 'clear_seconds_' || severity,
            floor(extract(epoch FROM cleared_at - found_at)) FROM hazards WHERE cleared_at IS NOT NULL
    )
    SELECT division_code, kind, (at AT TIME ZONE 'Asia/Shanghai')::date AS day, measure, sum(amount) AS amount
    FROM moves JOIN premises USING (premises_id) WHERE status <> 'stub' GROUP BY 1, 2, 3, 4
"""
)


async def lock(tx: Transaction) -> None:
    """Let no other copy count at the same time."""
    await tx.execute(sa.text("LOCK TABLE statistics IN SHARE ROW EXCLUSIVE MODE"))


async def sums(tx: Transaction) -> Sums:
    """Return what happened, by division, kind and day, and by measure."""
    found: dict[Key, dict[str, int]] = {}
    for row in await tx.all(MOVES):
        found.setdefault((row.division_code, row.kind, row.day), {})[row.measure] = int(row.amount)
    return found


async def published(tx: Transaction, first: date) -> dict[Key, Mapping[str, int]]:
    """Return the counts of days from `first` on as they were last published."""
    rows = await tx.all(sa.select(statistics).where(statistics.c.day >= first))
    return {(row.division_code, row.kind, row.day): row.counts for row in rows}


async def save(tx: Transaction, key: Key, counts: Mapping[str, int]) -> DayCounts:
    """Keep the counts of a day under their next version."""
    division_code, kind, day = key
    values = {"division_code": division_code, "kind": kind, "day": day, "counts": dict(counts), "version": 1}
    version = await tx.scalar(
        insert(statistics)
        .values(values)
        .on_conflict_do_update(
            index_elements=["division_code", "kind", "day"],
            set_={"counts": dict(counts), "version": statistics.c.version + 1},
        )
        .returning(statistics.c.version)
    )
    return DayCounts(day, division_code, kind, counts, version)


async def every(tx: Transaction) -> list[tuple[date, str, str]]:
    """Return of which day, division and kind counts were published."""
    rows = await tx.all(sa.select(*_ORDER))
    return [(row.day, row.division_code, row.kind) for row in rows]


async def several(tx: Transaction, keys: Collection[tuple[date, str, str]]) -> list[DayCounts]:
    """Return counts as they were last published."""
    rows = await tx.all(sa.select(statistics).where(sa.tuple_(*_ORDER).in_(keys)))
    return [DayCounts(row.day, row.division_code, row.kind, row.counts, row.version) for row in rows]
