"""A notice author proposes a notice; it waits for an approver of another unit."""

import os
from dataclasses import dataclass
from datetime import datetime

import orjson
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from policy.packs import Packs
from services.alerts.domain import notices
from services.alerts.domain.contents import Asked, Content, Instrument, NoticeKind, ProposalRefused, Token
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.domain.subjects import SALT_BYTES, Subject, commitment
from services.alerts.storage import notice_store
from services.alerts.use_cases.check_proposal import check_proposal

# What a subject is sealed as.
SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an author asks for."""

    kind: NoticeKind
    instrument: Instrument
    subject: Subject
    starts_at: datetime
    ends_at: datetime
    recipients: tuple[str, ...]
    instructions: str

    @property
    def asked(self) -> Asked:
        """What the rules look at."""
        return Asked(self.kind, self.instrument.kind, self.starts_at, self.ends_at, self.recipients)


async def propose_notice(
    tx: Transaction,
    proposal: Proposal,
    token: Token,
    *,
    author: Officer,
    keyring: Keyring,
    packs: Packs,
    district: str,
) -> Notice:
    """Store a proposal; `token` is the document's, which the entry point got from registration before.

    Raises ProposalRefused.
    """
    now = await notice_store.hold_version(tx)
    salt = os.urandom(SALT_BYTES)
    content = Content(
        notice_id=uuid7(),
        term=1,
        kind=proposal.kind,
        instrument=proposal.instrument,
        document_kind=proposal.subject.document.kind,
        issuing_country=proposal.subject.document.issuing_country,
        token=token,
        subject_commitment=commitment(proposal.subject, salt),
        starts_at=proposal.starts_at,
        ends_at=proposal.ends_at,
        recipients=proposal.recipients,
        instructions=proposal.instructions,
        author=author.subject,
        author_unit=author.unit,
    )
    faults = await check_proposal(tx, proposal.asked, packs, district, now)
    if faults:
        raise ProposalRefused(faults)
    notice = notices.propose(content, author, now)
    key = await keyring.create(tx, notice.notice_id)
    sealed = orjson.dumps({"salt": salt.hex(), **proposal.subject.to_json()}).decode()
    await notice_store.store_new(tx, notice, key.seal(sealed, SUBJECT), now)
    return notice
