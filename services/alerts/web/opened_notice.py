"""The notice that is open at the desk: what it says, who did what with it, and what its reader may see and decide."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import KeyErased
from chassis.web.access import Caller
from services.alerts.api.parts import Parts, officer
from services.alerts.domain.alerts import city_day
from services.alerts.domain.notices import may_decide
from services.alerts.use_cases import queries
from services.alerts.use_cases.change_notice import UnknownNotice
from services.alerts.use_cases.open_subject import OpenedSubject, Reading, SubjectNotYours, may_see, open_subject
from services.alerts.use_cases.queries import NoticeEntry, NoticeLook, NoticeRow

PURPOSE = "notice_verification"


@dataclass(frozen=True, slots=True)
class Opened:
    """A notice with its history, who looked whom it names, and its subject where that was asked for.

    `longest` is the last moment at which a notice of this kind with this start may end.
    """

    row: NoticeRow
    history: list[NoticeEntry]
    looks: list[NoticeLook]
    longest: datetime
    may_see: bool
    may_decide: bool
    subject: OpenedSubject | None = None

    def name(self, subject: str) -> str:
        """Return the name of an officer of this notice's history; empty for others, of whom the audit has none."""
        return next((entry.by_name for entry in self.history if entry.by == subject), "")


async def open_notice(
    tx: Transaction, parts: Parts, caller: Caller, notice_id: UUID, *, with_subject: bool
) -> Opened | None:
    """Return a notice, None where there is none; with its subject, which is logged first. Raises SubjectNotYours."""
    try:
        row = await queries.read_notice(tx, notice_id)
    except UnknownNotice:
        return None
    person = officer(caller)
    sees = may_see(row.notice, caller.role, person)
    if with_subject and not sees:
        raise SubjectNotYours
    subject = None
    if with_subject:
        with suppress(KeyErased):
            reading = Reading(person, caller.role, PURPOSE, str(notice_id))
            subject = await open_subject(tx, row, reading, keyring=parts.keyring)
    content = row.notice.latest.content
    terms = parts.packs.on(city_day(row.proposed_at), parts.district).notices
    return Opened(
        row,
        list(await queries.notice_history(tx, row.notice, parts.keyring)),
        list(await queries.notice_looks(tx, notice_id)),
        terms.latest_end(content.kind.value, content.starts_at),
        sees,
        caller.role == "notice_approver" and may_decide(row.notice, person),
        subject,
    )
