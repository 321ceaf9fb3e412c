"""Keeps in the audit log that somebody tried to approve a notice of their own, or of their own unit."""

from uuid import UUID

from chassis.data import audit
from chassis.data.db import Transaction
from services.alerts.domain.officers import Officer


async def note_refused_approval(tx: Transaction, notice_id: UUID, *, by: Officer) -> None:
    """Write the attempt down; the approval's own transaction was rolled back with the refusal."""
    audit.record(tx, audit.Entry(by.subject, by.unit, "notice.approval-refused", notice_id), await tx.database_time())
