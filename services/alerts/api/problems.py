"""Which answer each of alerts' refusals gets: the one place where domain errors become problems."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chassis.web.faults import FieldError
from chassis.web.forms import LOCAL
from chassis.web.i18n import N_
from chassis.web.problems import Problem
from services.alerts.api.bodies import BadCursor
from services.alerts.domain.alerts import StepRefused, UnknownFinding
from services.alerts.domain.contents import Fault, ProposalRefused
from services.alerts.domain.handovers import HandoverRefused
from services.alerts.domain.notices import (
    ContentChanged,
    NothingToApprove,
    NotYourUnit,
    OwnNotice,
    SameUnit,
    WrongNoticeState,
)
from services.alerts.registration_client import DocumentRefused, PersonNotShown, RegistrationUnreachable, TooManyTokens
from services.alerts.use_cases.apply_step import UnknownAlert
from services.alerts.use_cases.change_notice import UnknownNotice
from services.alerts.use_cases.open_subject import SubjectNotYours
from services.alerts.use_cases.take_handover import UnknownHandover

SENTENCES: Mapping[str, str] = {
    "kind-not-available": N_("Notices of this kind cannot be entered yet."),
    "instrument-not-for-kind": N_("A notice of this kind cannot rest on this instrument."),
    "starts-too-early": N_("The start may lie back to {limit} at most."),
    "starts-too-late": N_("The start may lie ahead to {limit} at most."),
    "ends-before-start": N_("The end must lie after the start, {limit}."),
    "ends-in-the-past": N_("The end must lie ahead."),
    "term-too-long": N_("A notice of this kind may end at {limit} at the latest."),
    "unknown-unit": N_("There is no unit with this id."),
    "not-a-recipient": N_("A notice goes to the command centre, police stations and departments, not to this unit."),
    "document-required": N_("A notice of this kind needs the document of the person."),
    "premises-not-for-kind": N_("A notice of this kind cannot be limited to premises."),
    "not-a-result": N_("This is not a result that an alert of this source can have."),
}

BAD_CURSOR = N_("This is not a cursor of this list.")

STEP_TITLES: Mapping[str, str] = {
    "not-acknowledged": N_("Nobody has acknowledged this alert yet."),
    "not-verified": N_("This alert has not been verified yet."),
    "not-closed": N_("This alert is not closed."),
    "already-acknowledged": N_("Somebody else has acknowledged this alert. Give a reason to take it over."),
    "already-verified": N_("This alert has been verified."),
    "already-closed": N_("This alert is closed."),
    "already-cleared": N_("The facts behind this alert have ended."),
    "already-retracted": N_("The event behind this alert was corrected."),
}

HANDOVER_TITLES: Mapping[str, str] = {
    "own-handover": N_("Your own handover is for another officer to take."),
    "not-your-handover": N_("Only who offered a handover can take it back."),
    "already-offered": N_("Your handover is offered already. Take it back to write another word."),
    "handover-taken": N_("Another officer has taken this handover."),
    "handover-withdrawn": N_("This handover was taken back."),
}

STATE_TITLES: Mapping[str, str] = {
    "proposed": N_("This notice has not been approved yet."),
    "scheduled": N_("This notice has been approved and starts later."),
    "active": N_("This notice is active."),
    "suspended": N_("This notice is suspended."),
    "ended": N_("This notice has ended."),
}


def field_errors(faults: Iterable[Fault]) -> list[FieldError]:
    """Return each fault with its sentence; a limit is said in the city's time."""
    return [
        FieldError(
            fault.pointer,
            fault.code,
            SENTENCES[fault.code],
            {"limit": f"{fault.limit.astimezone(LOCAL):%Y-%m-%d %H:%M}"} if fault.limit else {},
        )
        for fault in faults
    ]


def document_errors(refused: DocumentRefused) -> list[FieldError]:
    """Return what registration says of a document, at the fields where it stands here."""
    found = []
    for fault in refused.faults:
        pointer = fault.pointer.removeprefix("/document")
        found.append(FieldError(f"/subject/document{pointer}", fault.code, fault.message))
    return found or [FieldError("/subject/document", "document-refused", SENTENCES["document-required"])]


def _step_refused(error: StepRefused) -> Problem:
    owner = error.alert.owner
    return Problem(
        409,
        error.code,
        title=STEP_TITLES[error.code],
        state=error.alert.state.value,
        owner=owner.subject if owner else None,
        owner_name=owner.name if owner else None,
    )


def _wrong_state(error: WrongNoticeState) -> Problem:
    why = error.why.value if error.why else None
    title = STATE_TITLES[error.state.value]
    return Problem(409, f"notice-{error.state.value}", title=title, state=error.state.value, why=why)


def _nothing_to_approve(error: NothingToApprove) -> Problem:
    title = N_("Nothing of this notice waits for approval.")
    why = error.why.value if error.why else None
    return Problem(409, "nothing-to-approve", title=title, state=error.state.value, why=why)


def _not_a_result(_: UnknownFinding) -> Problem:
    return Problem(422, "invalid", errors=[FieldError("/result", "not-a-result", SENTENCES["not-a-result"])])


def _too_many(error: TooManyTokens) -> Problem:
    title = N_("The notice desk has asked for as many document tokens as an hour allows.")
    return Problem(429, "too-many-tokens", title=title, headers={"retry-after": error.retry_after})


def _fixed(status: int, code: str, title: str | None = None) -> Callable[[Any], Problem]:
    return lambda _error: Problem(status, code, title=title)


PROBLEMS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    StepRefused: _step_refused,
    HandoverRefused: lambda error: Problem(409, error.code, title=HANDOVER_TITLES[error.code]),
    UnknownHandover: _fixed(404, "not-found"),
    UnknownFinding: _not_a_result,
    UnknownAlert: _fixed(404, "not-found"),
    UnknownNotice: _fixed(404, "not-found"),
    ProposalRefused: lambda error: Problem(422, "invalid", errors=field_errors(error.faults)),
    DocumentRefused: lambda error: Problem(422, "invalid", errors=document_errors(error)),
    TooManyTokens: _too_many,
    RegistrationUnreachable: _fixed(
        503, "registration-unreachable", N_("Registration cannot be reached just now. Try again in a moment.")
    ),
    OwnNotice: _fixed(403, "own-notice", N_("You proposed this notice: another person of another unit decides on it.")),
    SameUnit: _fixed(403, "same-unit", N_("Your unit proposed this notice: a person of another unit decides on it.")),
    NotYourUnit: _fixed(403, "not-your-unit", N_("Only the unit that proposed this notice may do this.")),
    ContentChanged: _fixed(
        409, "content-changed", N_("This is not the content that waits for approval. Load it again.")
    ),
    NothingToApprove: _nothing_to_approve,
    WrongNoticeState: _wrong_state,
    BadCursor: lambda _error: Problem(422, "invalid", errors=[FieldError("/cursor", "bad-cursor", BAD_CURSOR)]),
    SubjectNotYours: _fixed(403, "forbidden"),
    PersonNotShown: _fixed(403, "person-not-shown", N_("Registration does not show this person for this alert.")),
}
