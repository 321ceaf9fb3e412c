"""A notice as its rows hold it: one select with the running and the waiting term, and the way back to the domain."""

from typing import Any

import sqlalchemy as sa

from services.alerts.domain.contents import parse_content
from services.alerts.domain.notices import Approval, Notice, NoticeState, Term, Why
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import Signature
from services.alerts.storage.tables import notice_terms, notices

running = notice_terms.alias("running")
pending = notice_terms.alias("pending")


def whole_notices() -> sa.Select[Any]:
    """Select a notice's row with its running and its waiting term."""
    terms = [column.label(f"{term.name}__{column.key}") for term in (running, pending) for column in term.c]
    return sa.select(notices, *terms).select_from(
        notices.outerjoin(
            running, (running.c.notice_id == notices.c.notice_id) & (running.c.term == notices.c.running_term)
        ).outerjoin(pending, (pending.c.notice_id == notices.c.notice_id) & (pending.c.term == notices.c.pending_term))
    )


def read_notice(row: sa.Row[Any]) -> Notice:
    """Read a row of `whole_notices`. Raises ValueError when a term's content is not one."""
    return Notice(
        notice_id=row.notice_id,
        state=NoticeState(row.state),
        running=_term(row, "running") if row.running_term is not None else None,
        pending=_term(row, "pending") if row.pending_term is not None else None,
        why=Why(row.why) if row.why is not None else None,
        lifted_at=row.lifted_at,
    )


def _term(row: sa.Row[Any], role: str) -> Term:
    """Read a joined term. Raises ValueError when its content is not one."""
    value = {name.removeprefix(f"{role}__"): row._mapping[name] for name in row._fields if name.startswith(f"{role}__")}
    approval = signature = None
    if value["approver"] is not None:
        approver = Officer(value["approver"], value["approver_name"], value["approver_unit"])
        approval = Approval(value["content_hash"], approver, value["approved_at"], value["active_since"])
        signature = Signature(value["signing_key"], value["signature"])
    return Term(
        content=parse_content(value["content"].encode()),
        proposer=Officer(value["proposer"], value["proposer_name"], value["proposer_unit"]),
        proposed_at=value["proposed_at"],
        approval=approval,
        signature=signature,
    )
