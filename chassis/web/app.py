"""The application around a service's routes: one place that says what every web process of ours does."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from chassis.data.db import Database
from chassis.run.service import Background, WebParts
from chassis.run.settings import ServiceSettings, decode_secret
from chassis.web import assets, i18n
from chassis.web.access import Access
from chassis.web.edge import Edge, security_headers
from chassis.web.health import Health, HealthCheck, database_check
from chassis.web.limits import Limits
from chassis.web.oidc import Provider
from chassis.web.pages import LoadNames, Pages, UnitNames
from chassis.web.problems import MEDIA_TYPE, Answers, Problem
from chassis.web.sessions import Sessions
from chassis.web.streams import Streams

SERVICES = i18n.ROOT / "services"
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class _ApiRoute(APIRoute):
    """A route that takes JSON and only JSON: 415 for another content type, 400 for what is not JSON by RFC 8259."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def read_json(request: Request) -> Response:
            body = await request.body()
            if body:
                _check_media_type(request.headers.getlist("content-type"))
                try:
                    # orjson refuses what json.loads lets pass: NaN, lone surrogates, bad UTF-8, endless depth.
                    request._json = orjson.loads(body)
                except orjson.JSONDecodeError:
                    raise Problem(400, "malformed-json") from None
            return await handler(request)

        return read_json


def _check_media_type(values: list[str]) -> None:
    media_type, _sep, parameters = (values[0] if len(values) == 1 else "").partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if media_type.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Problem(415, "unsupported-media-type")


def api_router() -> APIRouter:
    """Return a router for a service's calls, below /api/v1."""
    problem = {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: {}}}
    statuses = (400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
    answers: dict[int | str, dict[str, Any]] = dict.fromkeys(statuses, problem)
    return APIRouter(prefix="/api/v1", route_class=_ApiRoute, responses=answers)


def page_router() -> APIRouter:
    """Return a router for a service's pages."""
    return APIRouter(include_in_schema=False)


def create_app(
    settings: ServiceSettings,
    db: Database,
    *,
    title: str,
    routers: Sequence[APIRouter] = (),
    problems: Mapping[type[Exception], Callable[[Any], Problem]] | None = None,
    purposes: Callable[[str], Collection[str]] = lambda role: (),
    unit_names: LoadNames | None = None,
    checks: Sequence[HealthCheck] = (),
    background: Sequence[Background] = (),
    lifespan: Lifespan | None = None,
) -> WebParts:
    """Return a service's web process: its routers inside limits, access, errors, pages, health and metrics.

    `problems` maps the service's errors to answers; `purposes` gives the purposes that a role may read for;
    `unit_names` reads `{unit: {"zh", "en"}}` from the service's table. Routes find their parts in `request.app.state`:
    db, settings, access, oidc, streams, pages.
    """
    service = settings.service()
    i18n.load([SERVICES / service, i18n.ROOT / "chassis"])
    provider = Provider(settings)
    sessions = Sessions(settings, provider)
    access = Access(settings, provider, sessions, purposes)
    units = UnitNames(unit_names)
    pages = Pages(
        settings=settings,
        title=title,
        templates=SERVICES / service / "web" / "templates",
        access=access,
        sessions=sessions,
        units=units,
    )
    streams = Streams(settings.max_streams)
    health = Health([database_check(db, service), *checks])

    app = FastAPI(title=title, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    app.state.db = db
    app.state.settings = settings
    app.state.idempotency_secret = decode_secret(settings.idempotency_secret)
    app.state.access = access
    app.state.oidc = provider
    app.state.streams = streams
    app.state.pages = pages
    # Not include_router(): each router would be searched twice, and stand in the way of every answer.
    routes = [route for router in routers for route in router.routes]
    app.router.routes.extend([*routes, *health.routes(), *pages.routes(), assets.ROUTE])

    # A log-out leads to the provider; the portal is where one chooses again.
    form_targets = [settings.oidc_issuer, settings.public_urls.get("portal", "")]
    answers = Answers(pages.problem, problems or {})
    surround(app, answers, max_in_flight=settings.max_in_flight, form_targets=form_targets)
    return WebParts(app, db, health, [units.run, *background], [streams.stop])


def surround(app: Starlette, answers: Answers, *, max_in_flight: int, form_targets: Iterable[str]) -> None:
    """Put errors, limits and the edge around an application; `form_targets` are addresses that a form may lead to."""
    origins = sorted({f"{urlsplit(each).scheme}://{urlsplit(each).netloc}" for each in form_targets if each})
    answers.install(app)
    app.add_middleware(Limits, max_in_flight=max_in_flight, answer=answers.response)
    app.add_middleware(Edge, headers=security_headers(" ".join(origins)), answer=answers.response)
