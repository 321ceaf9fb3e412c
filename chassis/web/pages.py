"""Pages: templates and what each may count on, log-in and log-out, errors as pages, the reference pages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import structlog
from jinja2.environment import TemplateModule
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from chassis.data.db import DatabaseBusy, DatabaseUnavailable
from chassis.run.settings import ServiceSettings
from chassis.web import i18n
from chassis.web.access import Access, Caller
from chassis.web.assets import asset, icon
from chassis.web.channels import SECURITY, channels
from chassis.web.forms import LOCAL
from chassis.web.i18n import N_, gettext
from chassis.web.oidc import LoginRefused
from chassis.web.problems import Problem
from chassis.web.reference import reference
from chassis.web.sessions import Sessions, is_same_origin, local_path
from contracts import asyncapi
from contracts.departments import DEPARTMENTS

log = structlog.get_logger()

# The services that write a topic for a department.
TELLING_DEPARTMENTS = frozenset(each.owner for each in DEPARTMENTS.values())
TEMPLATES = Path(__file__).parent / "templates"
THEME_COOKIE = "anju_theme"
THEMES = ("light", "dark", "auto")
# Names of units change by decree, not by the minute.
UNIT_NAMES_SECONDS = 30.0
LoadNames = Callable[[], Awaitable[Mapping[str, Mapping[str, str]]]]


class UnitNames:
    """The units' names, `{unit: {"zh": …, "en": …}}`, read from the service's own table now and then."""

    def __init__(self, load: LoadNames | None = None) -> None:
        self._load = load
        self._names: Mapping[str, Mapping[str, str]] = {}

    def of(self, unit: str) -> str:
        """Return a unit's name in the reader's language, or its id while the name is not known."""
        names = self._names.get(unit, {})
        return names.get("en" if i18n.language() == "en" else "zh") or unit

    async def run(self) -> None:
        """Keep the names fresh, for ever; survives the loss of the database."""
        while True:
            if self._load is not None:
                try:
                    self._names = await self._load()
                except (DatabaseBusy, DatabaseUnavailable):
                    log.warning("unit-names-without-database")
            await asyncio.sleep(UNIT_NAMES_SECONDS if self._names or self._load is None else 1.0)


class Pages:
    """The pages of one process."""

    def __init__(
        self,
        *,
        settings: ServiceSettings,
        title: str,
        templates: Path,
        access: Access,
        sessions: Sessions,
        units: UnitNames,
    ) -> None:
        self._settings = settings
        self._service = settings.service()
        self._title = title
        self._access = access
        self._sessions = sessions
        self._units = units
        self._environment = environment(templates)

    def render(self, request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Return a template as the answer; every template also knows the names of `frame`."""
        text = self._environment.get_template(name).render(self._shared(request) | context)
        return HTMLResponse(text, status)

    def module(self, request: Request, name: str, **context: Any) -> TemplateModule:
        """Return a template's macros, to be called one by one; they know what `render` gives a template."""
        return self._environment.get_template(name).make_module(self._shared(request) | context)

    def _shared(self, request: Request) -> dict[str, Any]:
        caller: Caller | None = getattr(request.state, "caller", None) or self._access.at_page(request)
        unit_name = self._units.of(caller.unit) if caller else ""
        return frame(request, self._settings.public_urls) | {"caller": caller, "unit_name": unit_name}

    def problem(self, request: Request, problem: Problem) -> Response:
        """Return an error as a page; who is not logged in is sent to log in, and comes back to where they were."""
        if problem.status == 401:
            return _to_login(request)
        headers = {name: value for name, value in problem.headers.items() if name.lower() == "retry-after"}
        if request.headers.get("hx-request") == "true":
            # A page goes in no part of another: that one stays, and says the sentence (connection.js).
            headers["anju-problem"] = quote(problem.sentence())
        shown = {"title": problem.sentence(), "code": problem.code, "detail": "", "status": problem.status}
        text = self._environment.get_template("problem.html").render(self._shared(request) | shown)
        return HTMLResponse(text, problem.status, headers)

    def routes(self) -> list[Route]:
        """Return the routes that every service with pages has."""
        return [
            Route("/login", self._login, include_in_schema=False),
            Route("/callback", self._callback, include_in_schema=False),
            Route("/logout", self._logout, methods=["POST"], include_in_schema=False),
            Route("/signed-out", self._signed_out, include_in_schema=False),
            Route("/docs", self._docs, include_in_schema=False),
            *self._department_routes(),
        ]

    def _department_routes(self) -> list[Route]:
        """The reference of the topics that this service writes for departments, if it writes any."""
        if self._service not in TELLING_DEPARTMENTS:
            return []
        return [
            Route("/asyncapi.json", self._asyncapi_document, include_in_schema=False),
            Route("/asyncapi", self._asyncapi, include_in_schema=False),
        ]

    async def _login(self, request: Request) -> Response:
        try:
            return await self._sessions.login(request)
        except Problem as problem:
            return self._login_failed(request, problem.sentence(), 503)

    async def _callback(self, request: Request) -> Response:
        try:
            return await self._sessions.callback(request)
        except LoginRefused:
            return self._login_failed(request, gettext(LOGIN_ENDED), 400)
        except Problem as problem:
            return self._login_failed(request, problem.sentence(), 503)

    def _login_failed(self, request: Request, reason: str, status: int) -> Response:
        return self.render(request, "login_failed.html", status, reason=reason, login_url="/login")

    async def _logout(self, request: Request) -> Response:
        if not is_same_origin(request):
            raise Problem(403, "cross-site")
        return await self._sessions.logout(request)

    async def _signed_out(self, request: Request) -> Response:
        return self.render(request, "signed_out.html", login_url="/login", caller=None)

    async def _docs(self, request: Request) -> Response:
        calls = reference(request.app.openapi())
        tells = self._service in TELLING_DEPARTMENTS
        return self.render(request, "reference.html", title=self._title, calls=calls, tells_departments=tells)

    async def _asyncapi_document(self, _request: Request) -> Response:
        return JSONResponse(asyncapi.document(self._service))

    async def _asyncapi(self, request: Request) -> Response:
        return self.render(
            request,
            "asyncapi.html",
            title=self._title,
            security=SECURITY,
            channels=channels(asyncapi.document(self._service), i18n.language()),
        )


LOGIN_ENDED = N_("The log-in took too long, was started elsewhere, or was refused.")


def _to_login(request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        # The page around the fragment is where the person wants to be again.
        here = request.headers.get("hx-current-url", "")
        path = "/" + here.partition("//")[2].partition("/")[2] if "//" in here else "/"
        return Response(status_code=401, headers={"hx-redirect": f"/login?next={quote(local_path(path))}"})
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = local_path(here) if request.method == "GET" else "/"
    return RedirectResponse(f"/login?next={quote(back)}", 303)


def frame(request: Request, urls: Mapping[str, str]) -> dict[str, Any]:
    """Return what the shell around every page needs; nobody is logged in unless the caller is set beside it."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return {
        "lang": i18n.language(),
        "theme": theme if theme in THEMES else "auto",
        "caller": None,
        "unit_name": "",
        "portal_url": urls.get("portal"),
        "urls": urls,
        "path": request.url.path,
        "server_time": datetime.now(UTC),
    }


def environment(templates: Path) -> jinja2.Environment:
    """Return the template environment: a service's own folder first, then the shared one."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(asset=asset, icon=icon)
    made.filters.update(local_time=_local_time, local_date=_local_date, iso=_iso)
    return made


def _local_time(moment: datetime) -> str:
    """`11-24 10:44`, the city's time (look.md, section 4)."""
    return f"{moment.astimezone(LOCAL):%m-%d %H:%M}"


def _local_date(moment: datetime) -> str:
    """`2026-11-24`, the city's date."""
    return f"{moment.astimezone(LOCAL):%Y-%m-%d}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
