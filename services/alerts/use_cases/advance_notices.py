"""Writes down starts and ends that the clock brought. Matching goes by the clock itself and does not wait for it."""

from collections.abc import Sequence
from uuid import UUID

from chassis.data.db import Transaction
from services.alerts.storage import notice_store
from services.alerts.use_cases.change_notice import catch_up

# A day's starts and ends fall on midnight together: so many are taken before the timer rests.
AT_ONCE = 500


async def due_notices(tx: Transaction) -> Sequence[UUID]:
    """Return the notices whose row does not say yet what the clock has made of them."""
    return await notice_store.due(tx, await tx.database_time(), AT_ONCE)


async def advance_notice(tx: Transaction, notice_id: UUID) -> None:
    """Write down what the clock has made of one notice, if it has."""
    now = await notice_store.hold_version(tx)
    row = await notice_store.load(tx, notice_id)
    if row is not None:
        await catch_up(tx, row.notice, now)
