"""Wanted persons of a run: live notices, each proposed and approved as in the service, and arrivals that match them."""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from uuid_utils.compat import uuid7

from chassis.data.db import Database, Transaction
from chassis.data.encryption import Keyring
from contracts.registration import MatchingTokenV1, PersonArrivedV1, StayKind
from policy import packs
from services.alerts.domain.contents import Instrument, NoticeKind, Token
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import Signer, signing_key_from
from services.alerts.domain.subjects import Document, Subject
from services.alerts.use_cases.approve_notice import approve_notice
from services.alerts.use_cases.propose_notice import Proposal, propose_notice

DISTRICT = "330199"
# One transaction each would take minutes on a server that waits for its disk.
BATCH = 100
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = {"sign-1": PRIVATE.public_key().public_bytes_raw()}
_AUTHOR = Officer("author", "赵一", "notice-desk-01")
_APPROVER = Officer("approver", "孙三", "notice-desk-02")


def token_of(number: int) -> Token:
    """A stand-in for registration's matching token of the wanted person with this number."""
    digest = hashlib.sha256(b"bench" + str(number).encode()).digest()
    return Token("m1", base64.urlsafe_b64encode(digest).decode().rstrip("="))


def arrival(token: Token) -> PersonArrivedV1:
    """A new stay that begins now, of whom the token stands for."""
    now = datetime.now(UTC)
    return PersonArrivedV1(
        stay_id=uuid7(),
        premises_id=uuid7(),
        room="0806",
        division_code="330199001001",
        kind=StayKind.HOTEL_GUEST,
        occurred_at=now,
        recorded_at=now,
        token=MatchingTokenV1(key_id=token.key_id, value=token.value),
    )


async def make_notices(db: Database, count: int) -> None:
    """Make live notices on the persons 0 to `count`."""
    keyring, rules = Keyring({"k1": secrets.token_bytes(32)}, "k1"), packs.load()
    signer = signing_key_from(PRIVATE.private_bytes_raw(), PUBLIC)
    for first in range(0, count, BATCH):
        async with db.transaction() as tx:
            for number in range(first, min(first + BATCH, count)):
                await _make_notice(tx, number, keyring, rules, signer)


async def _make_notice(tx: Transaction, number: int, keyring: Keyring, rules: packs.Packs, signer: Signer) -> None:
    now = datetime.now(UTC)
    proposal = Proposal(
        kind=NoticeKind.WANTED,
        instrument=Instrument("arrest_approval", f"云检捕〔2026〕{number:04d} 号", "云汀市人民检察院"),
        subject=Subject(Document("resident_id", f"3301991990{number:04d}", "CHN"), "陈某"),
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(days=30),
        recipients=("command-centre",),
        instructions="两名民警到场。",
    )
    proposed = await propose_notice(
        tx, proposal, token_of(number), author=_AUTHOR, keyring=keyring, packs=rules, district=DISTRICT
    )
    content_hash = proposed.latest.content.hash()
    await approve_notice(tx, proposed.notice_id, content_hash, approver=_APPROVER, signer=signer, keyring=keyring)
