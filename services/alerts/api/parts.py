"""What the routes of alerts work with, and who calls them."""

from dataclasses import dataclass

from starlette.requests import Request

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.web.access import Caller, purpose
from policy.packs import Packs
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import Signer
from services.alerts.registration_client import RegistrationClient
from services.alerts.use_cases.open_subject import Reading


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a web process that routes and pages share."""

    db: Database
    keyring: Keyring
    packs: Packs
    district: str
    signer: Signer
    registration: RegistrationClient


def officer(caller: Caller) -> Officer:
    """Return the caller as the rules know a person."""
    return Officer(caller.subject, caller.name, caller.unit)


async def optional_reading(request: Request, caller: Caller) -> Reading | None:
    """Return for what personal data is read, or None when the request names neither purpose nor case.

    Raises Problem 400 `purpose-required` when one of them is missing or malformed, 403 for another role's purpose.
    """
    if "anju-purpose" not in request.headers and "anju-case" not in request.headers:
        return None
    why = await purpose(request, caller)
    return Reading(officer(caller), caller.role, why.purpose, why.case)
