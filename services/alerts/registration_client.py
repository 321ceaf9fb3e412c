"""Asks registration for what only it has: a document's matching token, and the person of an alert's stay."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import structlog

from services.alerts.domain.contents import Token
from services.alerts.domain.officers import Officer
from services.alerts.domain.subjects import Document

log = structlog.get_logger()

# Longer than registration ever takes, shorter than an author waits; its answer comes before any transaction opens.
REQUEST_SECONDS = 5.0
# What registration's own limit of requests answers: the author is told to wait, with its Retry-After.
LIMITED = 429


class RegistrationUnreachable(Exception):
    """Registration did not answer, or not as agreed."""


class TooManyTokens(Exception):
    """The notice desk has asked for as many tokens as an hour allows."""

    def __init__(self, retry_after: str) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FieldFault:
    """A field that registration refused: pointer into what was sent, code, sentence in the reader's language."""

    pointer: str
    code: str
    message: str


class DocumentRefused(Exception):
    """Registration makes no token for this document."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = tuple(faults)


class PersonNotShown(Exception):
    """Registration does not show the person: not allowed, or not there any more."""


class RegistrationClient:
    """A client of registration's API. Never called inside a transaction."""

    def __init__(
        self,
        address: str,
        service_token: Callable[[], Awaitable[str]],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._service_token = service_token
        # trust_env off: a proxy meant for the internet must not see these requests.
        self._http = httpx.AsyncClient(base_url=address, timeout=REQUEST_SECONDS, trust_env=False, transport=transport)

    async def matching_token(self, document: Document, author: Officer, language: str) -> Token:
        """Return the token of a document, asked for in the name of `author`.

        Raises DocumentRefused (a number that fails its check), TooManyTokens, RegistrationUnreachable.
        """
        response = await self._send(
            "POST",
            "/api/v1/matching-tokens",
            token=await self._service_token(),
            headers={
                "Idempotency-Key": str(uuid4()),
                "Anju-On-Behalf-Of": author.subject,
                "Accept-Language": language,
            },
            json={"document": asdict(document)},
        )
        if response.status_code == 422:
            raise DocumentRefused(_faults(response))
        if response.status_code == LIMITED:
            raise TooManyTokens(response.headers.get("retry-after", "60"))
        answer = _object(response, 200)
        try:
            return Token(str(answer["key_id"]), str(answer["value"]))
        except KeyError:
            raise RegistrationUnreachable from None

    async def stay(self, stay_id: UUID, case: str, *, token: str, language: str) -> Mapping[str, Any]:
        """Return the person, room and premises of a stay, as the officer whose token this is, with the alert as case.

        Raises PersonNotShown, RegistrationUnreachable.
        """
        response = await self._send(
            "GET",
            f"/api/v1/stays/{stay_id}",
            token=token,
            headers={"Anju-Purpose": "notice_verification", "Anju-Case": case, "Accept-Language": language},
        )
        if response.status_code in (401, 403, 404):
            raise PersonNotShown
        return _object(response, 200)

    async def _send(
        self, method: str, path: str, *, token: str, headers: Mapping[str, str], json: Any = None
    ) -> httpx.Response:
        try:
            return await self._http.request(
                method, path, headers={**headers, "Authorization": f"Bearer {token}"}, json=json
            )
        except httpx.HTTPError as error:
            log.warning("registration-unreachable", exc_info=error)
            raise RegistrationUnreachable from None


def _object(response: httpx.Response, status: int) -> dict[str, Any]:
    if response.status_code != status:
        log.warning("registration-answers-otherwise", status=response.status_code)
        raise RegistrationUnreachable
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RegistrationUnreachable
    return answer


def _faults(response: httpx.Response) -> list[FieldFault]:
    try:
        listed = response.json().get("errors") or []
        return [FieldFault(str(each["pointer"]), str(each["code"]), str(each["message"])) for each in listed]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RegistrationUnreachable from None
