"""Whom a notice names: opened only for those entitled, with purpose and case, and logged."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from chassis.data import audit
from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain import notices
from services.alerts.domain.officers import Officer
from services.alerts.domain.subjects import Subject, commitment
from services.alerts.storage import alert_store, notice_store
from services.alerts.storage.notice_store import NoticeRow
from services.alerts.use_cases.apply_step import UnknownAlert
from services.alerts.use_cases.change_notice import UnknownNotice


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


async def read_notice(tx: Transaction, notice_id: UUID) -> NoticeRow:
    """Load a notice, its subject still sealed. Raises UnknownNotice."""
    row = await notice_store.load(tx, notice_id)
    if row is None:
        raise UnknownNotice(notice_id)
    return row


def may_see(row: NoticeRow, reading: Reading) -> bool:
    """Whether a reader is of the author's unit, or an approver who may decide on what waits."""
    if reading.role == "notice_author":
        return reading.officer.unit == row.notice.author_unit
    return reading.role == "notice_approver" and notices.may_decide(row.notice, reading.officer)


async def open_subject(tx: Transaction, row: NoticeRow, reading: Reading, keyring: Keyring) -> OpenedSubject:
    """Open a notice's subject and log it. The caller has checked `may_see`. Raises KeyErased."""
    opened = await _open(tx, row, keyring)
    await _log(tx, "notice.subject-read", row.notice.notice_id, reading)
    return opened


async def open_subject_of_alert(tx: Transaction, alert_id: UUID, reading: Reading, keyring: Keyring) -> OpenedSubject:
    """Open the subject of an alert's notice for an officer who works on it, with the alert as the case.

    Raises UnknownAlert, SubjectNotYours (another case, or no notice behind the alert), KeyErased.
    """
    alert = await alert_store.load(tx, alert_id)
    if alert is None:
        raise UnknownAlert(alert_id)
    if alert.notice_id is None or reading.case != str(alert_id):
        raise SubjectNotYours
    row = await notice_store.load(tx, alert.notice_id)
    if row is None:
        raise UnknownNotice(alert.notice_id)
    opened = await _open(tx, row, keyring)
    await _log(tx, "alert.subject-read", row.notice.notice_id, reading)
    return opened


async def _open(tx: Transaction, row: NoticeRow, keyring: Keyring) -> OpenedSubject:
    key = await keyring.subject_key(tx, row.notice.notice_id)
    value: dict[str, Any] = orjson.loads(key.open(row.subject, "subject"))
    salt = bytes.fromhex(value.pop("salt"))
    subject = Subject.from_json(value)
    return OpenedSubject(subject, commitment(subject, salt) == row.notice.latest.content.subject_commitment)


async def _log(tx: Transaction, action: str, notice_id: UUID, reading: Reading) -> None:
    entry = audit.Entry(
        reading.officer.subject,
        reading.officer.unit,
        action,
        notice_id,
        purpose=reading.purpose,
        case=reading.case,
        detail={"role": reading.role},
    )
    audit.record(tx, entry, await tx.database_time())
