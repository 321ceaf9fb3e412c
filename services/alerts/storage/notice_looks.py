"""What the audit says of a notice beside its changes: refused approvals, and who looked whom it names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from chassis.data.tables import audit_entries

APPROVAL_REFUSED, SUBJECT_READ = "notice.approval-refused", "notice.subject-read"


@dataclass(frozen=True, slots=True)
class NoticeLook:
    """One entry. `by` is a pseudonym (the officer's subject), never a name."""

    at: datetime
    action: str
    by: str
    by_unit: str


async def looks(tx: Transaction, notice_id: UUID, limit: int) -> Sequence[NoticeLook]:
    """Return the latest entries about a notice, oldest first."""
    query = (
        sa.select(audit_entries.c.at, audit_entries.c.action, audit_entries.c.actor, audit_entries.c.actor_unit)
        .where(audit_entries.c.subject == str(notice_id), audit_entries.c.action.in_((APPROVAL_REFUSED, SUBJECT_READ)))
        .order_by(audit_entries.c.id.desc())
        .limit(limit)
    )
    found = [NoticeLook(row.at.astimezone(UTC), row.action, row.actor, row.actor_unit) for row in await tx.all(query)]
    return found[::-1]
