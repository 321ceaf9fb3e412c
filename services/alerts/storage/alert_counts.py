"""Counts alerts by what the board filters them by."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.alerts.domain.alerts import AlertState, Severity
from services.alerts.storage.tables import alerts

K = TypeVar("K")

# A subdistrict's code (GB/T 10114): officers know their city by these.
STREET_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Counts:
    """How many alerts there are, by each facet of the board; of those that wait, how many too long and since when.

    All but `state` are of open alerts. `street` is by subdistrict code, `owned` by the officer who answers for them.
    """

    state: Counter[AlertState]
    severity: Counter[Severity]
    kind: Counter[str]
    street: Counter[str]
    owned: Counter[str]
    unclaimed: int
    overdue: int
    oldest: datetime | None


async def count(tx: Transaction) -> Counts:
    """Count all alerts by state, and the open ones by severity, kind, subdistrict, and who answers for them."""
    number = sa.func.count().label("number")
    by_state = await tx.all(sa.select(alerts.c.state, number).group_by(alerts.c.state))
    street = sa.func.left(alerts.c.division_code, STREET_DIGITS).label("street")
    facets = (alerts.c.severity, alerts.c.kind, street, alerts.c.owner)
    still_open = await tx.all(sa.select(*facets, number).where(alerts.c.due_at.is_not(None)).group_by(*facets))
    waits = alerts.c.state == AlertState.NEW.value
    overdue = sa.func.count().filter(alerts.c.due_at < sa.func.clock_timestamp()).label("overdue")
    waiting = (await tx.execute(sa.select(overdue, sa.func.min(alerts.c.raised_at).label("oldest")).where(waits))).one()
    return Counts(
        state=Counter({AlertState(row.state): row.number for row in by_state}),
        severity=_sum((Severity(row.severity), row.number) for row in still_open),
        kind=_sum((row.kind, row.number) for row in still_open),
        street=_sum((row.street, row.number) for row in still_open),
        owned=_sum((row.owner, row.number) for row in still_open if row.owner),
        unclaimed=sum(row.number for row in still_open if row.owner is None),
        overdue=waiting.overdue,
        oldest=waiting.oldest,
    )


def _sum(numbers: Iterable[tuple[K, int]]) -> Counter[K]:
    found: Counter[K] = Counter()
    for key, number in numbers:
        found[key] += number
    return found
