"""Reckons how soon alerts came to their steps, out of the history of changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.alerts.storage.tables import alerts


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several durations the median and the 90th percentile: nine of ten were not longer."""

    median: timedelta
    p90: timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """What happened since a moment: how many alerts were raised and closed, how soon they were taken on and closed."""

    raised: int
    closed: int
    acknowledge: Spread | None
    close: Spread | None


# A step counts from the raising, or from the latest reopening before it; a taking over is no acknowledgement.
STEPS = sa.text(
    """
    WITH steps AS (
        SELECT change, extract(epoch FROM at - COALESCE(
            (SELECT max(again.at) FROM alert_changes again WHERE again.alert_id = done.alert_id
                AND again.change = 'reopened' AND again.position < done.position),
            (SELECT raised_at FROM alerts WHERE alerts.alert_id = done.alert_id))) AS seconds
        FROM alert_changes done
        WHERE at >= :since AND (change = 'closed' OR change = 'acknowledged' AND detail IS NULL)
    )
    SELECT change, count(*) AS number, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90
    FROM steps GROUP BY change
"""
)


async def since(tx: Transaction, moment: datetime) -> Pace:
    """Return the pace from `moment` on."""
    raised = await tx.scalar(sa.select(sa.func.count()).where(alerts.c.raised_at >= moment))
    steps = {row.change: row for row in (await tx.execute(STEPS, {"since": moment})).all()}
    closed = steps.get("closed")
    return Pace(raised, closed.number if closed else 0, _spread(steps.get("acknowledged")), _spread(closed))


def _spread(row: sa.Row[Any] | None) -> Spread | None:
    if row is None:
        return None
    # A server whose clock was set back may have written a step before the raising.
    median, p90 = (timedelta(seconds=max(0.0, float(each))) for each in (row.median, row.p90))
    return Spread(median, p90)
