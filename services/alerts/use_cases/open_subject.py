"""Whom a notice names: opened only for those entitled, with purpose and case, and logged."""

from dataclasses import dataclass
from typing import Any

import orjson

from chassis.data import audit
from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import notices
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.domain.subjects import Subject, commitment
from services.alerts.storage.notice_store import NoticeRow
from services.alerts.use_cases.propose_notice import SUBJECT

__all__ = ["NoticeRow"]


class SubjectNotYours(Exception):
    """This reader may not see whom the notice names."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads, in which role, for what."""

    officer: Officer
    role: str
    purpose: str
    case: str


@dataclass(frozen=True, slots=True)
class OpenedSubject:
    """The subject, and whether it is what the notice's approval stands for."""

    subject: Subject
    as_committed: bool


def may_see(notice: Notice, role: str, officer: Officer) -> bool:
    """Whether a reader of the desk is of the author's unit, or an approver who may decide on what waits."""
    if role == "notice_author":
        return officer.unit == notice.author_unit
    return role == "notice_approver" and notices.may_decide(notice, officer)


async def open_subject(
    tx: Transaction, row: NoticeRow, reading: Reading, *, keyring: Keyring, action: str = "notice.subject-read"
) -> OpenedSubject:
    """Open a notice's subject and log it as `action`; the caller has checked that the reader may. Raises KeyErased."""
    key = await keyring.subject_key(tx, row.notice.notice_id)
    value: dict[str, Any] = orjson.loads(key.open(row.subject, SUBJECT))
    salt = bytes.fromhex(value.pop("salt"))
    subject = Subject.from_json(value)
    entry = audit.Entry(
        reading.officer.subject,
        reading.officer.unit,
        action,
        row.notice.notice_id,
        purpose=reading.purpose,
        case=reading.case,
        detail={"role": reading.role},
    )
    audit.record(tx, entry, await tx.database_time())
    return OpenedSubject(subject, commitment(subject, salt) == row.notice.latest.content.subject_commitment)
