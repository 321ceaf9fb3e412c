"""Who may call what, and the caller as the domain knows them."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends

from chassis.web.access import SERVICE_ROLE, Caller, PurposeCase, purpose, require
from services.registration.domain.access import AREA_ROLES, DUTY_OFFICER, OPERATOR, Actor, Reason

Desk = Annotated[Caller, Depends(require(*sorted(AREA_ROLES), OPERATOR))]
AreaDesk = Annotated[Caller, Depends(require(*sorted(AREA_ROLES)))]
DeskOrOfficer = Annotated[Caller, Depends(require(*sorted(AREA_ROLES), OPERATOR, DUTY_OFFICER))]
AnotherService = Annotated[Caller, Depends(require(SERVICE_ROLE))]
Why = Annotated[PurposeCase, Depends(purpose)]


def actor_of(caller: Caller) -> Actor:
    """Return who acts; the areas of the unit are read from the database, where they are needed."""
    return Actor(caller.subject, caller.role, caller.unit)


def reason_of(why: PurposeCase) -> Reason:
    """Return why personal data is read."""
    return Reason(why.purpose, why.case)


def present() -> datetime:
    """Return the present, UTC: a request's one clock."""
    return datetime.now(UTC)
