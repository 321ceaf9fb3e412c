"""Which answer each of housing's refusals gets: the one place where domain errors become problems."""

from collections.abc import Callable, Mapping
from typing import Any

from chassis.web.faults import FieldError
from chassis.web.i18n import N_
from chassis.web.problems import Problem
from services.housing.domain.closures import HeadcountDiffers, WrongState
from services.housing.domain.faults import Refused
from services.housing.domain.hazards import AlreadyCleared, UnknownHazard
from services.housing.domain.letters import VERSION, AlreadySigned, LetterChanged
from services.housing.domain.premises import NotAStub, UnknownPremises
from services.housing.domain.units import OutsideArea

SENTENCES: Mapping[str, str] = {
    "missing": N_("This field is required."),
    "duplicate-room": N_("This room number stands there twice."),
    "not-a-phone-number": N_("Must be a phone number of 5 to 15 digits."),
    "unknown-unit": N_("There is no unit with this id."),
    "in-the-future": N_("This time lies ahead."),
    "not-in-force": N_("This version of the checklist was not in force on that day."),
    "no-checklist-then": N_("No checklist was in force on that day."),
    "unknown-item": N_("The checklist has no such item for this kind of premises."),
    "duplicate-item": N_("This item stands there twice."),
    "severity-without-failure": N_("Only an item that failed has a severity."),
    "severity-lowered": N_("The rule's severity can be raised, not lowered."),
}

# On a page, where the division is a field of its own.
OUTSIDE_AREA = FieldError(
    "/division_code", "outside-area", N_("This division lies outside what your unit is responsible for.")
)


def field_errors(refused: Refused) -> list[FieldError]:
    """Return each fault with its sentence."""
    return [FieldError(fault.pointer, fault.code, SENTENCES[fault.code]) for fault in refused.faults]


def _refused(refused: Refused) -> Problem:
    return Problem(422, "invalid", errors=field_errors(refused))


def _outside_area(_: OutsideArea) -> Problem:
    return Problem(403, "forbidden", title=N_("These premises lie outside what your unit is responsible for."))


def _unknown_premises(_: UnknownPremises) -> Problem:
    return Problem(404, "not-found")


def _unknown_hazard(_: UnknownHazard) -> Problem:
    return Problem(404, "not-found")


def _already_cleared(_: AlreadyCleared) -> Problem:
    return Problem(409, "already-cleared", title=N_("The hazard was cleared before."))


def _letter_changed(_: LetterChanged) -> Problem:
    return Problem(
        409, "letter-changed", title=N_("Another version of the letter is in force."), letter_version=VERSION
    )


def _already_signed(_: AlreadySigned) -> Problem:
    return Problem(409, "already-signed", title=N_("The letter in force was signed before."))


def _not_a_stub(_: NotAStub) -> Problem:
    return Problem(409, "not-a-stub", title=N_("The premises were entered in full before."))


WRONG_STATE = {
    "open": ("not-closed", N_("The premises are in use.")),
    "closed": ("already-closed", N_("The premises are closed.")),
    "stub": ("not-completed", N_("The premises are to be inspected and completed first.")),
}


def _wrong_state(error: WrongState) -> Problem:
    code, title = WRONG_STATE[error.status]
    return Problem(409, code, title=title, status_of_premises=error.status)


def _headcount_differs(error: HeadcountDiffers) -> Problem:
    title = N_("Another number of people lives there now than was confirmed.")
    return Problem(409, "headcount-differs", title=title, headcount=error.headcount)


PROBLEMS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    Refused: _refused,
    OutsideArea: _outside_area,
    UnknownPremises: _unknown_premises,
    UnknownHazard: _unknown_hazard,
    AlreadyCleared: _already_cleared,
    LetterChanged: _letter_changed,
    AlreadySigned: _already_signed,
    NotAStub: _not_a_stub,
    WrongState: _wrong_state,
    HeadcountDiffers: _headcount_differs,
}
