"""An approver of another unit approves exactly what was shown, and the notice desk's key signs it."""

from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import notices
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import Signer
from services.alerts.use_cases.change_notice import change_notice


async def approve_notice(
    tx: Transaction, notice_id: UUID, content_hash: str, *, approver: Officer, signer: Signer, keyring: Keyring
) -> Notice:
    """Approve and sign what waits, a first term or a renewal.

    Raises UnknownNotice, OwnNotice, SameUnit, NothingToApprove, ContentChanged.
    """

    def decide(notice: Notice, now: datetime) -> Notice:
        approval = notices.approve(notice, approver, content_hash, now)
        return notices.approved(notice, approval, signer.sign(approval.statement()))

    return await change_notice(tx, notice_id, "approved", decide, by=approver, keyring=keyring)
