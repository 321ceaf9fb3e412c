"""Counts the open alerts as a wall shows them: those that wait by severity, all of them by division."""

from collections.abc import Mapping

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.alerts.domain.alerts import AlertState, Severity
from services.alerts.storage.tables import alerts

NUMBER = sa.func.count().label("number")


async def waiting(tx: Transaction) -> Mapping[Severity, int]:
    """Return how many alerts wait for an officer, by severity, worst first."""
    query = sa.select(alerts.c.severity, NUMBER).where(alerts.c.state == AlertState.NEW.value)
    found = {row.severity: row.number for row in await tx.all(query.group_by(alerts.c.severity))}
    return {each: found.get(each.value, 0) for each in Severity}


async def overdue(tx: Transaction) -> int:
    """Return how many open alerts are past the limit of their present step."""
    number: int = await tx.scalar(sa.select(NUMBER).where(alerts.c.due_at < sa.func.clock_timestamp()))
    return number


async def by_division(tx: Transaction) -> Mapping[str, Mapping[Severity, int]]:
    """Return how many alerts are open in each division, by severity, worst first."""
    query = sa.select(alerts.c.division_code, alerts.c.severity, NUMBER).where(alerts.c.due_at.is_not(None))
    found: dict[str, dict[str, int]] = {}
    for row in await tx.all(query.group_by(alerts.c.division_code, alerts.c.severity)):
        found.setdefault(row.division_code, {})[row.severity] = row.number
    return {code: {each: its[each] for each in Severity if each in its} for code, its in found.items()}
