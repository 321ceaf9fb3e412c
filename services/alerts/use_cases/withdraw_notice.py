"""The author's unit ends a notice, or takes a proposal back."""

from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import notices
from services.alerts.domain.notices import Notice, Why
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.change_notice import change_notice


async def withdraw_notice(
    tx: Transaction, notice_id: UUID, why: Why, reason: str, *, by: Officer, keyring: Keyring
) -> Notice:
    """End a notice with this transaction's commit. Raises UnknownNotice, NotYourUnit, WrongNoticeState."""
    return await change_notice(
        tx,
        notice_id,
        "ended",
        lambda notice, _now: notices.withdraw(notice, by, why),
        by=by,
        keyring=keyring,
        reason=reason,
    )
