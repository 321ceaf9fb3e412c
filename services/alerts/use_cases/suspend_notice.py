"""The overseer lets a notice rest."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import notices
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.change_notice import change_notice


async def suspend_notice(tx: Transaction, notice_id: UUID, reason: str, *, by: Officer, keyring: Keyring) -> Notice:
    """Suspend a scheduled or active notice. Raises UnknownNotice, WrongNoticeState."""
    return await change_notice(
        tx, notice_id, "suspended", lambda notice, _now: notices.suspend(notice), by=by, keyring=keyring, reason=reason
    )
