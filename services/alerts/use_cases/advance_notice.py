"""Writes down a start or an end that the clock brought. Matching goes by the clock itself and does not wait for it."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain.officers import SYSTEM
from services.alerts.use_cases.change_notice import change_notice


async def advance_notice(tx: Transaction, notice_id: UUID, *, keyring: Keyring) -> None:
    """Bring one notice's row up to the clock. Raises UnknownNotice."""
    # Every change begins with what the clock has done; this one ends there.
    await change_notice(tx, notice_id, "", lambda notice, _now: notice, by=SYSTEM, keyring=keyring)
