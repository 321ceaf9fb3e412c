"""A notice author proposes a notice; it waits for an approver of another unit."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from policy.packs import Packs
from services.alerts.domain import notices
from services.alerts.domain.alerts import city_day
from services.alerts.domain.contents import (
    Content,
    Fault,
    Instrument,
    Limits,
    NoticeKind,
    ProposalRefused,
    Token,
    check,
    check_kind,
)
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.domain.subjects import SALT_BYTES, Subject, commitment
from services.alerts.storage import notice_store, unit_store

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


def refuse_unavailable(kind: NoticeKind, instrument_kind: str, packs: Packs, district: str, now: datetime) -> None:
    """Refuse early what needs no token asked for: a kind that cannot be matched, an instrument that does not fit it.

    Raises ProposalRefused.
    """
    instruments = frozenset(packs.on(city_day(now), district).notices.instruments(kind.value))
    faults = list(check_kind(kind, instrument_kind, instruments))
    if faults:
        raise ProposalRefused(faults)


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
    faults = [*check(content, limits(content, packs, district, now), now), *await _unknown_units(tx, content)]
    if faults:
        raise ProposalRefused(faults)
    notice = notices.propose(content, author, now)
    key = await keyring.create(tx, notice.notice_id)
    sealed = orjson.dumps({"salt": salt.hex(), **proposal.subject.to_json()}).decode()
    await notice_store.store_new(tx, notice, key.seal(sealed, SUBJECT), now)
    return notice


def limits(content: Content, packs: Packs, district: str, now: datetime) -> Limits:
    """What the packs in force today allow a notice of this kind that starts then."""
    rules = packs.on(city_day(now), district).notices
    return Limits(
        instruments=frozenset(rules.instruments(content.kind.value)),
        earliest_start=now - timedelta(days=rules.starts_at_most_days_back),
        latest_start=now + timedelta(days=rules.starts_at_most_days_ahead),
        latest_end=rules.latest_end(content.kind.value, content.starts_at),
    )


async def _unknown_units(tx: Transaction, content: Content) -> list[Fault]:
    known = await unit_store.all_units(tx)
    if not known:
        return []  # the tree has not arrived yet: nothing can be said against a unit
    return [
        Fault(f"/recipients/{place}", "unknown-unit")
        for place, unit in enumerate(content.recipients)
        if unit not in known
    ]
