"""Owns the way to the services: HTTP as a terminal uses it, by token, with one key per errand, sent until answered."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import structlog
from joserfc.jwk import RSAKey

from anju.portal import tokens

log = structlog.get_logger()

# A try that takes longer is sent again under the same key.
TRY_SECONDS = 10.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
# Of answers that mean "later": overload, a part that restarts, a limit.
LATER = frozenset({429, 500, 502, 503, 504})
# Premises reach registration by Kafka; an arrival before that is refused, and asked again for this long.
NOT_YET_SECONDS = 60.0
NOT_YET = "unknown-premises"
RENEW_BEFORE = timedelta(hours=1)
# A path that is not offered is looked for again this often: a service may be of a newer version after a restart.
OFFER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Official:
    """Who does something: a person of the development identity provider, the role's usual one where nothing is said."""

    role: str
    unit: str | None = None
    name: str | None = None


class Refused(Exception):
    """A service answered no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class Terminals:
    """Every desk and phone of the city. `services` maps a service to its address."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        services: Mapping[str, str],
        key: RSAKey,
        issuer: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http, self._services, self._key, self._issuer, self._clock = http, services, key, issuer, clock
        self._tokens: dict[Official, tuple[str, datetime]] = {}
        self._offers: dict[tuple[str, str], tuple[bool, datetime]] = {}

    async def post(self, who: Official, service: str, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Do something once, however often it must be sent; the answer's JSON. Raises Refused."""
        began = self._clock()
        while True:
            headers = {"Idempotency-Key": key}
            answer = await self._answered("POST", who, service, path, json=body, headers=headers)
            if answer.is_success:
                result: dict[str, Any] = answer.json()
                return result
            refused = _refusal(answer)
            waited = (self._clock() - began).total_seconds()
            if refused.code != NOT_YET or waited > NOT_YET_SECONDS:
                raise refused
            await asyncio.sleep(FIRST_PAUSE_SECONDS)

    async def get(self, who: Official, service: str, path: str, **query: str) -> dict[str, Any]:
        """Read something. Raises Refused."""
        answer = await self._answered("GET", who, service, path, params=query)
        if not answer.is_success:
            raise _refusal(answer)
        result: dict[str, Any] = answer.json()
        return result

    async def offers(self, service: str, path: str) -> bool:
        """Whether the service has this POST (as its /openapi.json writes it); the city runs without it as well."""
        known, at = self._offers.get((service, path), (False, None))
        if known or (at is not None and (self._clock() - at).total_seconds() < OFFER_SECONDS):
            return known
        try:
            answer = await self._http.get(f"{self._services[service]}/openapi.json", timeout=TRY_SECONDS)
            offered = answer.is_success and "post" in answer.json().get("paths", {}).get(path, {})
        except httpx.HTTPError:
            offered = False
        self._offers[service, path] = (offered, self._clock())
        return bool(offered)

    async def _answered(
        self,
        method: str,
        who: Official,
        service: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """The first answer that is one; waits longer from try to try."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            sent = {**(headers or {}), "Authorization": f"Bearer {self._token(who)}"}
            try:
                answer = await self._http.request(
                    method, f"{self._services[service]}{path}", headers=sent, timeout=TRY_SECONDS, **more
                )
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code not in (401, *LATER):
                return answer
            if answer is not None and answer.status_code == 401:
                self._tokens.pop(who, None)  # the key may be another one since
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _token(self, who: Official) -> str:
        now = self._clock()
        token, made = self._tokens.get(who, ("", now))
        if not token or now - made > tokens.LIFETIME - RENEW_BEFORE:
            token = tokens.issue(self._key, self._issuer, who.role, who.unit, who.name, now)
            self._tokens[who] = (token, now)
        return token


def _refusal(answer: httpx.Response) -> Refused:
    """What the problem of an answer says (RFC 9457): its own code, or the one of its first error."""
    try:
        problem = answer.json()
    except ValueError:
        return Refused(answer.status_code, "no-problem")
    errors = problem.get("errors") or []
    code = str(problem.get("type", "")).rpartition(":")[2]
    return Refused(answer.status_code, str(errors[0].get("code", code)) if errors else code)
