"""What alerts takes as JSON: shapes and limits. What the values mean is the domain's matter."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, StringConstraints

from chassis.web.faults import fault
from chassis.web.i18n import N_
from chassis.web.models import StrictModel
from contracts.fields import field, tags
from services.alerts.domain.alerts import Outcome
from services.alerts.domain.contents import Asked, Instrument, NoticeKind
from services.alerts.domain.notices import Why
from services.alerts.domain.subjects import Document, Subject
from services.alerts.use_cases.propose_notice import Proposal

NOTICE = tags(purpose="notice_matching", basis="notice_instrument", class_="pseudonym", retention="notice")
SUBJECT = tags(purpose="notice_matching", basis="notice_instrument", class_="sensitive", retention="notice")
STEP = tags(purpose=("alert_handling", "oversight"), basis="accountability", class_="personal", retention="alert")

# A decision's reason is a paragraph, not a file.
REASON_LENGTH = 2_000
# What a duty officer can read before acting.
INSTRUCTIONS_LENGTH = 2_000
MOST_RECIPIENTS = 50
CHINA = "CHN"

# Beyond these years arithmetic with times fails in one place or another, and no notice lies there.
YEARS = range(2000, 2200)


def _within_years(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise fault("time-out-of-range", N_("The year must lie between {first} and {last}."), first=2000, last=2199)
    return moment


InReach = AfterValidator(_within_years)
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_LENGTH)]
UnitId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
InstrumentKind = Literal[
    "arrest_approval",
    "court_decision",
    "wanted_order",
    "missing_report",
    "loss_report",
    "protection_ruling",
    "relative_request",
]
DocumentKind = Literal["resident_id", "hmt_residence_permit", "foreign_pr_card", "passport"]


class InstrumentBody(StrictModel):
    """The legal paper that the notice rests on."""

    kind: Annotated[InstrumentKind, field(NOTICE)]
    number: Annotated[Line, field(NOTICE)]
    authority: Annotated[Line, field(NOTICE)]


class DocumentBody(StrictModel):
    """A document; registration checks its number."""

    kind: Annotated[DocumentKind, field(SUBJECT)]
    number: Annotated[Line, field(SUBJECT)]
    issuing_country: Annotated[str | None, field(SUBJECT, pattern=r"^[A-Za-z]{3}$")] = None


class SubjectBody(StrictModel):
    """Whom the notice names."""

    document: Annotated[DocumentBody | None, field(SUBJECT)] = None
    name: Annotated[Line | None, field(SUBJECT)] = None
    birth_date: Annotated[date | None, field(SUBJECT)] = None


class NoticeBody(StrictModel):
    """A proposal."""

    kind: Annotated[NoticeKind, field(NOTICE)]
    instrument: Annotated[InstrumentBody, field(NOTICE)]
    subject: Annotated[SubjectBody, field(SUBJECT)]
    premises_ids: Annotated[list[UUID] | None, field(NOTICE, max_length=100)] = None
    starts_at: Annotated[AwareDatetime, InReach, field(NOTICE)]
    ends_at: Annotated[AwareDatetime, InReach, field(NOTICE)]
    recipients: Annotated[list[UnitId], field(NOTICE, min_length=1, max_length=MOST_RECIPIENTS)]
    instructions: Annotated[Paragraph, field(NOTICE)]

    def document(self) -> Document | None:
        """Return the document as the domain takes it."""
        given = self.subject.document
        if given is None:
            return None
        country = CHINA if given.issuing_country is None and given.kind != "passport" else given.issuing_country
        return Document(given.kind, given.number, (country or "").upper())

    def asked(self) -> Asked:
        """Return what the rules look at."""
        return Asked(self.kind, self.instrument.kind, self.starts_at, self.ends_at, self._recipients())

    def proposal(self, document: Document) -> Proposal:
        """Return the proposal as the use case takes it."""
        return Proposal(
            kind=self.kind,
            instrument=Instrument(self.instrument.kind, self.instrument.number, self.instrument.authority),
            subject=Subject(document, self.subject.name, self.subject.birth_date),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            recipients=self._recipients(),
            instructions=self.instructions,
        )

    def _recipients(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.recipients))


class ApprovalBody(StrictModel):
    """Approval of exactly this content."""

    content_hash: Annotated[str, field(NOTICE, pattern=r"^[0-9a-f]{64}$")]


class WithdrawalBody(StrictModel):
    """Why a notice ends; carried out or replaced, where it is one of these."""

    reason: Annotated[Paragraph, field(STEP)]
    why: Annotated[Literal["withdrawn", "carried_out", "replaced"], field(NOTICE)] = "withdrawn"

    def ending(self) -> Why:
        """Return why, as the domain takes it."""
        return Why(self.why)


class RenewalBody(StrictModel):
    """A later end."""

    ends_at: Annotated[AwareDatetime, InReach, field(NOTICE)]


class ReasonBody(StrictModel):
    """A reason, required."""

    reason: Annotated[Paragraph, field(STEP)]


class AcknowledgementBody(StrictModel):
    """A reason, required only to take an alert over."""

    reason: Annotated[Paragraph | None, field(STEP)] = None


class VerificationBody(StrictModel):
    """What the check found."""

    result: Annotated[
        Literal["true_match", "false_match", "confirmed", "not_confirmed", "test", "cannot_verify"], field(STEP)
    ]
    reason: Annotated[Paragraph, field(STEP)]


class ClosureBody(StrictModel):
    """How the work ended."""

    outcome: Annotated[Outcome, field(STEP)]
    reason: Annotated[Paragraph, field(STEP)]


class NoteBody(StrictModel):
    """A note."""

    text: Annotated[Paragraph, field(STEP)]
