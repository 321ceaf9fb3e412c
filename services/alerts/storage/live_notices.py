"""Reads notices for the matcher: what changed since a version, and the tokens of notices that have alerts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.data.db import Transaction
from services.alerts.domain.contents import Token, parse_content
from services.alerts.domain.notices import Notice, NoticeState
from services.alerts.storage.notice_rows import read_notice, whole_notices
from services.alerts.storage.tables import notice_terms, notices


async def tokens(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Token]:
    """Return the document tokens of these notices, ended ones too while they have it; it is the same in every term."""
    if not ids:
        return {}
    query = (
        sa.select(notice_terms.c.notice_id, notice_terms.c.content)
        .join(notices, notices.c.notice_id == notice_terms.c.notice_id)
        .where(notices.c.notice_id.in_(ids), notice_terms.c.term == notices.c.running_term, notices.c.has_token)
    )
    return {row.notice_id: parse_content(row.content.encode()).token for row in await tx.all(query)}


@dataclass(frozen=True, slots=True)
class ChangedNotice:
    """A notice that changed since a version, for the matcher; `notice` is None when its row cannot be read as one."""

    notice_id: UUID
    changed_at: datetime
    notice: Notice | None


async def changed_since(tx: Transaction, version: int, *, after: UUID | None, limit: int) -> Sequence[ChangedNotice]:
    """Return up to `limit` notices changed after `version`, in the order of their ids, behind `after`.

    From version 0 on only the live ones: what ended before the reader began need not be forgotten.
    """
    query = whole_notices().where(notices.c.version > version).order_by(notices.c.notice_id).limit(limit)
    if version == 0:
        query = query.where(notices.c.state.in_([NoticeState.SCHEDULED.value, NoticeState.ACTIVE.value]))
    if after is not None:
        query = query.where(notices.c.notice_id > after)
    return [_changed(row) for row in await tx.all(query)]


def _changed(row: sa.Row[Any]) -> ChangedNotice:
    try:
        notice = read_notice(row)
    except ValueError:
        notice = None
    return ChangedNotice(row.notice_id, row.changed_at, notice)
