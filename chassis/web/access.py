"""Who is asking, and what their role, purpose and case allow."""

import re
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends
from starlette.requests import Request

from chassis.run.settings import ServiceSettings
from chassis.web.oidc import BadToken, Provider
from chassis.web.problems import Problem
from chassis.web.sessions import Sessions, is_same_origin

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SERVICE_ROLE = "service"
# interfaces.md, roles: 1 to 64 of A-Z a-z 0-9 and the hyphen.
CASE = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
PURPOSE = re.compile(r"[a-z_]{1,40}\Z")
# What a claim may hold before it is used in a query or shown: no control characters, no endless text.
_CLAIM_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `subject` is the provider's id of the person, a pseudonym; of a service its client's name."""

    subject: str
    name: str
    role: str
    unit: str
    token_kind: Literal["user", "service"] = "user"  # noqa: S105 - a kind, no secret


@dataclass(frozen=True, slots=True)
class PurposeCase:
    """Why personal data is read, as the reader says and as it is logged."""

    purpose: str
    case: str


class Access:
    """Decides who a request's caller is: by bearer token, or by the session of a page.

    The caller's own token is kept as `request.state.access_token`, for a question to another service on their behalf.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        provider: Provider,
        sessions: Sessions,
        purposes: Callable[[str], Collection[str]] = lambda role: (),
    ) -> None:
        self._settings = settings
        self._provider = provider
        self._sessions = sessions
        self.purposes = purposes

    async def caller(self, request: Request) -> Caller:
        """Return the caller; raises Problem 401, 403 for a request that another site sent, or 503 (no provider)."""
        if getattr(request.state, "caller", None) is None:
            request.state.caller = await self._find(request)
        found: Caller = request.state.caller
        return found

    async def _find(self, request: Request) -> Caller:
        values = request.headers.getlist("authorization")
        if values:
            caller, request.state.access_token = await self._by_token(values)
            return caller
        found = self.at_page(request)
        if found is None:
            raise Problem(401, "unauthenticated", headers={"www-authenticate": "Bearer"})
        if request.method not in SAFE_METHODS and not is_same_origin(request):
            raise Problem(403, "cross-site")
        return found

    def at_page(self, request: Request) -> Caller | None:
        """Return the person whose session the browser holds, if any: for pages that everybody may see."""
        session = self._sessions.read(request)
        if session is None:
            return None
        request.state.access_token = session["token"]
        return Caller(session["sub"], session["name"], session["role"], session["unit"])

    async def _by_token(self, values: list[str]) -> tuple[Caller, str]:
        scheme, _space, token = values[0].partition(" ")
        if len(values) > 1 or scheme.lower() != "bearer" or not token:
            raise _bad_token()
        try:
            claims = await self._provider.verify(token.strip(), self._settings.api_audience)
        except BadToken:
            raise _bad_token() from None
        role, subject = _text(claims.get(self._settings.claim_role)), _text(claims["sub"])
        if role == SERVICE_ROLE:
            # A provider's `sub` of a service is an id of its own making; this is the name it is known by (RFC 9068).
            subject = _text(claims.get("client_id")) or subject
        if not subject:
            raise _bad_token()
        caller = Caller(
            subject=subject,
            name=_text(claims.get("name")),
            role=role,
            unit=_text(claims.get(self._settings.claim_unit)),
            token_kind="service" if role == SERVICE_ROLE else "user",
        )
        return caller, token.strip()


def _text(claim: Any) -> str:
    return claim[:_CLAIM_LENGTH] if isinstance(claim, str) and claim.isprintable() else ""


def _bad_token() -> Problem:
    return Problem(401, "unauthenticated", headers={"www-authenticate": 'Bearer error="invalid_token"'})


def require(*roles: str) -> Callable[[Request], Coroutine[Any, Any, Caller]]:
    """Return the dependency that gives the caller if the role is one of `roles`: `Depends(require("clerk"))`.

    401 without a valid token or session, 403 with another role. Units and areas are the use case's to check.
    """

    async def caller(request: Request) -> Caller:
        access: Access = request.app.state.access
        found = await access.caller(request)
        if found.role not in roles:
            raise Problem(403, "forbidden")
        return found

    return caller


async def known_caller(request: Request) -> Caller:
    """Give the caller whatever the role is (a dependency); 401 without a valid token or session."""
    access: Access = request.app.state.access
    return await access.caller(request)


async def purpose(request: Request, caller: Annotated[Caller, Depends(known_caller)]) -> PurposeCase:
    """Give the purpose and case of a read of personal data (a dependency).

    400 `purpose-required` when one is missing or malformed, 403 when the role may not read for that purpose.
    """
    why, case = request.headers.getlist("anju-purpose"), request.headers.getlist("anju-case")
    if len(why) != 1 or len(case) != 1 or not PURPOSE.match(why[0]) or not CASE.match(case[0]):
        raise Problem(400, "purpose-required")
    access: Access = request.app.state.access
    if why[0] not in access.purposes(caller.role):
        raise Problem(403, "forbidden")
    return PurposeCase(why[0], case[0])


def within(areas: Collection[str], division_code: str) -> bool:
    """Tell whether a division lies in one of `areas`; an area is a prefix of a division code."""
    return any(area and division_code.startswith(area) for area in areas)
