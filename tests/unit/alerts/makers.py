"""Makes contents, notices and alerts for the unit tests of alerts; nothing in them belongs to anybody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.alerts.domain import notices
from services.alerts.domain.alerts import Alert, AlertState, Clocks, Severity, Source, city_day
from services.alerts.domain.contents import Content, Instrument, NoticeKind, Token
from services.alerts.domain.matching import StayChange, StayEvent
from services.alerts.domain.notices import Notice
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import Signer, Verifier, signing_key_from, verifier_from

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
AUTHOR = Officer("author", "赵一", "notice-desk-01")
COLLEAGUE = Officer("colleague", "钱二", "notice-desk-01")
APPROVER = Officer("approver", "孙三", "notice-desk-02")
CLOCKS = Clocks(timedelta(minutes=2), timedelta(minutes=20), timedelta(hours=2))

_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {"sign-1": _PRIVATE.public_key().public_bytes_raw()}
SIGNER: Signer = signing_key_from(_PRIVATE.private_bytes_raw(), KEYS)
VERIFIER: Verifier = verifier_from(KEYS)


def content(**changes: Any) -> Content:
    """A sound content of a `wanted` notice of 90 days from NOW."""
    made = Content(
        notice_id=uuid4(),
        term=1,
        kind=NoticeKind.WANTED,
        instrument=Instrument("arrest_approval", "云检捕〔2026〕0144 号", "云汀市人民检察院"),
        document_kind="resident_id",
        issuing_country="CHN",
        token=Token("match-1", "token-of-somebody-invented"),
        subject_commitment="0" * 64,
        starts_at=NOW,
        ends_at=NOW + timedelta(days=90),
        recipients=("command-centre",),
        instructions="两名民警到场；先核对证件原件。",
        author=AUTHOR.subject,
        author_unit=AUTHOR.unit,
    )
    return replace(made, **changes)


def approve(notice: Notice, now: datetime = NOW, approver: Officer = APPROVER) -> Notice:
    """Approve and sign what waits."""
    approval = notices.approve(notice, approver, notice.latest.content.hash(), now)
    return notices.approved(notice, approval, SIGNER.sign(approval.statement()))


def active(**changes: Any) -> Notice:
    """A notice approved at NOW."""
    return approve(notices.propose(content(**changes), AUTHOR, NOW))


def arrival(token: Token | None, recorded_at: datetime = NOW, **changes: Any) -> StayEvent:
    """The arrival of somebody with this token."""
    made = StayEvent(
        change=StayChange.ARRIVED,
        stay_id=uuid4(),
        premises_id=UUID(int=1),
        room="0806",
        division_code="330199001",
        stay_kind="hotel_guest",
        occurred_at=recorded_at,
        recorded_at=recorded_at,
        ended_at=None,
        token=token,
    )
    return replace(made, **changes)


def alert(**changes: Any) -> Alert:
    """A new alert of a notice."""
    made = Alert(
        alert_id=uuid4(),
        day=city_day(NOW),
        serial=317,
        source=Source.NOTICE,
        notice_id=uuid4(),
        rule=None,
        kind="wanted",
        severity=Severity.CRITICAL,
        state=AlertState.NEW,
        due_at=NOW + CLOCKS.acknowledge,
        premises_id=UUID(int=1),
        stay_id=uuid4(),
        room="0806",
        division_code="330199001",
        occurred_at=NOW,
        raised_at=NOW,
        facts={},
        clocks=CLOCKS,
        event_recorded_at=NOW,
    )
    return replace(made, **changes)
