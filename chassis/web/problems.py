"""Errors as answers: RFC 9457 problems with a stable code, in the reader's language, without anything that was sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chassis.data.db import DatabaseBusy, DatabaseUnavailable
from chassis.data.idempotency import KeyReused
from chassis.data.refusals import is_no_value_of_its_type
from chassis.run import tracing
from chassis.web.faults import FieldError, field_errors
from chassis.web.i18n import N_, gettext

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
# What a client that meets a full or absent part waits before it tries again (RFC 9110, section 10.2.3).
RETRY_SECONDS = 1

# Titles of the codes that every service gives. A service gives its own with the problem.
TITLES: Mapping[str, str] = {
    "malformed-json": N_("The body is not JSON by RFC 8259."),
    "malformed-request": N_("The request cannot be read."),
    "idempotency-key-required": N_("A POST needs the header Idempotency-Key: 1 to 200 visible ASCII characters."),
    "idempotency-key-reused": N_("This Idempotency-Key was used before with another request."),
    "purpose-required": N_("Reading personal data needs the headers Anju-Purpose and Anju-Case."),
    "unauthenticated": N_("A valid bearer token is needed."),
    "forbidden": N_("Your role or unit may not do this."),
    "cross-site": N_("This request came from another site and was not carried out."),
    "not-found": N_("There is nothing under this address."),
    "method-not-allowed": N_("This address does not take this method."),
    "request-timeout": N_("The request took too long to arrive."),
    "conflict": N_("Somebody else changed the same thing at the same moment. Load it again."),
    "body-too-large": N_("The body is larger than 1 MiB."),
    "unsupported-media-type": N_("The body must be application/json in UTF-8."),
    "invalid": N_("The request is not valid. See the fields."),
    "not-storable": N_("A value in the request cannot be stored."),
    "internal": N_("Something failed on our side. It was recorded, without your data."),
    "overloaded": N_("Too much is going on just now. Try again in a moment."),
    "stopping": N_("The service is being restarted. Try again in a moment."),
    "database-unavailable": N_("The service cannot reach its database just now. Try again in a moment."),
    "identity-provider-unavailable": N_("The identity provider cannot be reached just now. Try again in a moment."),
}
_BY_STATUS = {
    400: "malformed-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    409: "conflict",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "invalid",
    503: "overloaded",
}


class Problem(Exception):
    """An answer that is an error. Raise it anywhere below a route.

    `code` is stable and for machines. `title` is one sentence (a text of the catalogues), from TITLES when left out;
    `params` fill its `{places}` and must not be what somebody typed. Other keywords become members beside it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        *,
        title: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title or TITLES.get(code, TITLES[_BY_STATUS.get(status, "internal")])
        self.errors = errors
        self.headers = dict(headers or {})
        self.params = dict(params or {})
        self.members = members
        if status == 503:
            self.headers.setdefault("retry-after", str(RETRY_SECONDS))

    def sentence(self) -> str:
        """Return the title in the reader's language."""
        return gettext(self.title).format(**self.params) if self.params else gettext(self.title)

    def body(self) -> dict[str, Any]:
        """Return the problem's members, in the reader's language."""
        body: dict[str, Any] = {
            "type": f"urn:anju:problem:{self.code}",
            "title": self.sentence(),
            "status": self.status,
        }
        if self.errors:
            body["errors"] = [
                {"pointer": each.pointer, "code": each.code, "message": each.sentence()} for each in self.errors
            ]
        if self.status >= 500 and (trace_id := tracing.current_trace_id()):
            body["trace_id"] = trace_id
        return body | self.members


def as_json(problem: Problem) -> Response:
    """Return the answer for a machine."""
    return Response(orjson.dumps(problem.body(), default=str), problem.status, problem.headers, MEDIA_TYPE)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem for a bare status, as the framework raises it."""
    return Problem(status, _BY_STATUS.get(status, "malformed-request" if status < 500 else "internal"), headers=headers)


def of_validation(error: RequestValidationError) -> Problem:
    """Return the problem of a request that does not fit the route: 404 for an id in the path that can be none.

    A wrong header is 400, everything else 422. Nothing of the input is in it.
    """
    faults = error.errors()
    places = {fault["loc"][0] for fault in faults if fault["loc"]}
    if "path" in places:
        return Problem(404, "not-found")
    if "header" in places or "cookie" in places:
        return Problem(400, "malformed-request", errors=field_errors(faults))
    return Problem(422, "invalid", errors=field_errors(faults))


def of_database(error: DBAPIError) -> Problem:
    """Return the problem of a statement that PostgreSQL refused: the last net, where validation forgot something."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state in ("23505", "23P01", "23503"):  # unique, exclusion, foreign key: another transaction was first
        problem = Problem(409, "conflict")
    elif state[:2] in ("22", "23") or is_no_value_of_its_type(error):
        problem = Problem(422, "not-storable")
    elif state[:2] in ("40", "53"):  # it may be tried again; 53 is a disk or memory that is full
        problem = Problem(503, "overloaded")
    else:
        problem = Problem(500, "internal")
    log.error("database-refused", code=problem.code, exc_info=error)
    return problem


@dataclass(frozen=True, slots=True)
class Answers:
    """How problems of one application are shown: to machines as JSON, to people as a page."""

    as_page: Callable[[Request, Problem], Response] | None = None
    mapping: Mapping[type[Exception], Callable[[Any], Problem]] = field(default_factory=dict)

    def response(self, request: Request, problem: Problem) -> Response:
        """Return the answer that fits the request: a page outside /api where a page was asked for."""
        wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        if self.as_page is not None and wants_page:
            try:
                return self.as_page(request, problem)
            except Exception as error:
                log.error("problem-page-failed", code=problem.code, exc_info=error)
        return as_json(problem)

    def problem_of(self, error: Exception) -> Problem | None:
        """Return the problem that an exception means, or None for a fault of ours."""
        for kind in type(error).__mro__:
            if kind in self.mapping:
                return self.mapping[kind](error)
        if isinstance(error, Problem):
            return error
        if isinstance(error, RequestValidationError):
            return of_validation(error)
        if isinstance(error, HTTPException):
            return of_status(error.status_code, error.headers)
        if isinstance(error, KeyReused):
            return Problem(422, "idempotency-key-reused")
        if isinstance(error, DatabaseBusy):
            return Problem(503, "overloaded")
        if isinstance(error, DatabaseUnavailable):
            return Problem(503, "database-unavailable")
        if isinstance(error, DBAPIError):
            return of_database(error)
        return None

    def install(self, app: Starlette) -> None:
        """Answer every known exception of `app`; what is left is a 500 at the application's edge."""

        async def answer(request: Request, error: Exception) -> Response:
            problem = self.problem_of(error)
            assert problem is not None
            return self.response(request, problem)

        known: list[type[Exception]] = [
            Problem,
            RequestValidationError,
            HTTPException,
            KeyReused,
            DatabaseBusy,
            DatabaseUnavailable,
            DBAPIError,
        ]
        for kind in [*known, *self.mapping]:
            app.add_exception_handler(kind, answer)
