"""Which answer each of housing's refusals gets: the one place where domain errors become problems."""

from collections.abc import Callable, Mapping
from typing import Any

from chassis.web.faults import FieldError
from chassis.web.i18n import N_
from chassis.web.problems import Problem
from services.housing.domain.faults import Refused
from services.housing.domain.premises import UnknownPremises
from services.housing.domain.units import OutsideArea

SENTENCES: Mapping[str, str] = {
    "missing": N_("This field is required."),
    "duplicate-room": N_("This room number stands there twice."),
    "not-a-phone-number": N_("Must be a phone number of 5 to 15 digits."),
    "unknown-unit": N_("There is no unit with this id."),
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


PROBLEMS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    Refused: _refused,
    OutsideArea: _outside_area,
    UnknownPremises: _unknown_premises,
}
