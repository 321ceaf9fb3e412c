"""The portal's pages: the start page, and the same choice when a service asks who is logging in."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from anju.city import guest
from anju.portal.figures import DeskFigures
from anju.portal.personas import DESKS, Desk, Persona
from anju.portal.pipeline import Pipeline
from anju.portal.provider import Provider
from anju.portal.settings import Settings
from chassis.web import i18n
from chassis.web.pages import environment, frame
from chassis.web.problems import Problem

TEMPLATES = Path(__file__).parent / "templates"
# What the things to try lead to: service, who one is there, page. The second approver works in the author's unit.
TRIES = {
    "register": ("registration", "clerk-1", "/"),
    "watch": ("alerts", "officer-1", "/"),
    "inspect": ("housing", "inspector-1", "/"),
    "propose": ("alerts", "author-1", "/notices/new"),
    "approve_own": ("alerts", "approver-2", "/notices"),
}


class PortalPages:
    """Renders the portal's pages."""

    def __init__(self, settings: Settings, provider: Provider, pipeline: Pipeline, waiting: DeskFigures) -> None:
        self._settings = settings
        self._provider = provider
        self._pipeline = pipeline
        self._waiting = waiting
        self._environment = environment(TEMPLATES)
        units = yaml.safe_load(settings.units_file.read_text(encoding="utf-8"))["units"]
        self._units: dict[str, dict[str, str]] = {unit["id"]: unit["name"] for unit in units}

    async def start(self, request: Request) -> Response:
        """`/`: who you can be, one click to be it."""
        ways = {persona.key: self._way(desk, persona) for desk in DESKS for persona in desk.personas}
        tries = {name: self._login(*where) for name, where in TRIES.items()}
        shown: dict[str, Any] = {"desks": DESKS, "ways": ways, "tries": tries, "figures": await self._figures()}
        return self._render(request, "start.html", guest=guest.person(), **shown)

    async def pipeline(self, request: Request) -> Response:
        """`/pipeline.json`: the figures of the drawing, as `Pipeline.figures` gives them, and `desks`, by role."""
        return JSONResponse(await self._figures(), headers={"cache-control": "no-store"})

    async def authorize(self, request: Request) -> Response:
        """`/authorize`: back to the service as the persona that its hint names, else the choice."""
        query = request.query_params
        asked = self._provider.asked(query)
        answer = self._provider.chosen(asked, query.get("login_hint", ""))
        if answer is not None:
            return answer
        desks = [desk for desk in DESKS if desk.service == asked.client]
        ways = {
            persona.key: f"/authorize?{urlencode({**query, 'login_hint': persona.key})}"
            for desk in desks
            for persona in desk.personas
        }
        return self._render(request, "choose.html", desks=desks, ways=ways, figures=None)

    def problem(self, request: Request, problem: Problem) -> Response:
        """Return an error as a page."""
        shown = {"title": problem.sentence(), "code": problem.code, "detail": "", "status": problem.status}
        return self._render(request, "problem.html", problem.status, **shown)

    async def _figures(self) -> dict[str, Any]:
        drawn, desks = await asyncio.gather(self._pipeline.figures(), self._waiting.figures())
        return {**drawn, "desks": desks}

    def _way(self, desk: Desk, persona: Persona) -> str:
        return self._login(desk.service, persona.key, desk.path)

    def _login(self, service: str, persona: str, path: str) -> str:
        address = self._settings.public_urls.get(service, "")
        return f"{address}/login?{urlencode({'hint': persona, 'next': path})}"

    def _unit_name(self, unit: str) -> str:
        names: Mapping[str, str] = self._units.get(unit, {})
        return names.get("en" if i18n.language() == "en" else "zh", unit)

    def _render(self, request: Request, name: str, answer: int = 200, **context: Any) -> HTMLResponse:
        shared = frame(request, self._settings.public_urls) | {"portal_url": None, "name_of": self._unit_name}
        return HTMLResponse(self._environment.get_template(name).render(shared | context), answer)
