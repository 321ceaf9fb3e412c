"""Reporting's errors as problems."""

from collections.abc import Callable, Mapping
from typing import Any

from chassis.web.faults import FieldError
from chassis.web.i18n import N_
from chassis.web.problems import Problem
from services.reporting.domain.asked import BadQuestion

SENTENCES: Mapping[str, str] = {
    "not-a-division": N_("A division has 6, 9 or 12 digits."),
    "in-the-future": N_("This day has not begun."),
    "too-early": N_("There are no figures of so long ago."),
    "ends-before-it-begins": N_("The period ends before it begins."),
    "too-long": N_("A period has at most 366 days."),
}


def bad_question(error: BadQuestion) -> Problem:
    """Say which parameter cannot be answered, and why."""
    return Problem(422, "invalid", errors=[FieldError(f"/{error.field}", error.code, SENTENCES[error.code])])


PROBLEMS: Mapping[type[Exception], Callable[[Any], Problem]] = {BadQuestion: bad_question}
