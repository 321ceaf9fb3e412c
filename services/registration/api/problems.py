"""Which answer each of registration's refusals gets: the one place where domain errors become problems."""

from collections.abc import Callable, Mapping
from typing import Any

from chassis.web.faults import FieldError
from chassis.web.i18n import N_
from chassis.web.problems import Problem
from services.registration.domain.access import NoSuchAlert, OutsideArea
from services.registration.domain.faults import Refused
from services.registration.domain.persons import NAME_LENGTH
from services.registration.domain.premises import UnknownPremises
from services.registration.domain.stays import AlreadyDeparted, UnknownStay
from services.registration.use_cases.issue_matching_token import TooManyTokens

# A counted hour ends within this time at the latest.
HOUR_SECONDS = 3600

SENTENCES: Mapping[str, str] = {
    "required": N_("This field is required."),
    "number-malformed": N_("Must have 18 characters: 17 digits, then a digit or X."),
    "fifteen-digit-number": N_("Numbers with 15 digits ended with the first identity cards. Enter all 18."),
    "fifteen-character-card": N_(
        "Cards with 15 characters were issued before 2023. Register with the passport, or with the new card."
    ),
    "number-of-another-kind": N_("This number belongs to another kind of document."),
    "number-fails-its-check": N_("The number fails its own check. Read it again."),
    "passport-number-malformed": N_("A passport number has 5 to 9 letters and digits."),
    "issuing-country-required": N_("A passport needs its issuing country."),
    "issuing-country-malformed": N_("The country is three letters, such as KOR."),
    "issuing-country-not-chn": N_("This kind of document is issued by CHN."),
    "name-malformed": N_("A name has letters only, and the signs that stand between its parts."),
    "name-too-long": N_("A name has at most {limit} characters."),
    "phone-malformed": N_("A phone number has 5 to 15 digits."),
    "contradicts-number": N_("Differs from what the document number says."),
    "in-the-future": N_("Lies in the future."),
    "before-arrival": N_("Lies before the arrival."),
    "after-departure": N_("Lies after the departure."),
    "after-expected-until": N_("Lies after the expected end."),
    "not-departed": N_("This stay has not ended."),
    "basis-of-another-kind": N_("This legal basis does not belong to this kind of stay."),
    "guardian-required": N_(
        "A minor in a hotel needs a guardian's name, phone and relation (Law on the Protection of Minors, article 57)."
    ),
    "unknown-premises": N_("These premises are not known here."),
    "unknown-room": N_("The premises have no such room."),
    "unchanged": N_("This is what the record says already."),
}
PARAMETERS: Mapping[str, Mapping[str, int]] = {"name-too-long": {"limit": NAME_LENGTH}}
# interfaces.md names these two as the problem's own type.
OWN_TYPES = ("unknown-premises", "unknown-room")


def field_errors(refused: Refused) -> list[FieldError]:
    """Return each fault with its sentence."""
    return [
        FieldError(each.pointer, each.code, SENTENCES[each.code], PARAMETERS.get(each.code, {}))
        for each in refused.faults
    ]


def _refused(refused: Refused) -> Problem:
    codes = {fault.code for fault in refused.faults}
    own = next((code for code in OWN_TYPES if code in codes), None)
    return Problem(422, own or "invalid", title=SENTENCES[own] if own else None, errors=field_errors(refused))


def _too_many_tokens(_: TooManyTokens) -> Problem:
    title = N_("You asked for as many document tokens as an hour allows.")
    return Problem(429, "too-many-tokens", title=title, headers={"retry-after": str(HOUR_SECONDS)})


PROBLEMS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    Refused: _refused,
    UnknownStay: lambda _: Problem(404, "not-found"),
    UnknownPremises: lambda _: Problem(404, "not-found"),
    OutsideArea: lambda _: Problem(
        403, "forbidden", title=N_("These premises lie outside what your unit is responsible for.")
    ),
    NoSuchAlert: lambda _: Problem(
        403, "no-such-alert", title=N_("The case is not an alert of this stay that is yours to verify.")
    ),
    AlreadyDeparted: lambda _: Problem(409, "already-departed", title=N_("This stay has ended before.")),
    TooManyTokens: _too_many_tokens,
}
