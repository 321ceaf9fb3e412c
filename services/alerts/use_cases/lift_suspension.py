"""The overseer lifts a suspension: the notice becomes active anew."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import notices
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.change_notice import change_notice


async def lift_suspension(tx: Transaction, notice_id: UUID, reason: str, *, by: Officer, keyring: Keyring) -> Notice:
    """Make a suspended notice active anew, from now on. Raises UnknownNotice, WrongNoticeState."""
    return await change_notice(tx, notice_id, "lifted", notices.lift, by=by, keyring=keyring, reason=reason)
