"""Puts the portal together."""

from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from anju.portal.figures import DeskFigures
from anju.portal.pages import PortalPages
from anju.portal.pipeline import Pipeline
from anju.portal.provider import Provider
from anju.portal.settings import Settings
from anju.portal.tokens import issue, make_key
from chassis.run.service import WebParts
from chassis.web import assets, i18n
from chassis.web.app import surround
from chassis.web.health import Health
from chassis.web.problems import Answers

# It serves one demo.
MAX_IN_FLIGHT = 100


def web(settings: Settings) -> WebParts:
    """Return the portal's web process; makes the signing key at the first start."""
    i18n.load([Path(__file__).parent, i18n.ROOT / "chassis"])
    key = make_key(settings.key_file)
    provider = Provider(settings, key)
    waiting = DeskFigures(
        settings.metrics_urls, lambda role: issue(key, settings.issuer, role, None, None, datetime.now(UTC))
    )
    pages = PortalPages(settings, provider, Pipeline(settings.metrics_urls), waiting)
    health = Health([])
    app = Starlette(
        routes=[
            Route("/", pages.start),
            Route("/pipeline.json", pages.pipeline),
            Route("/.well-known/openid-configuration", provider.discovery),
            Route("/jwks.json", provider.keys),
            Route("/authorize", pages.authorize),
            Route("/token", provider.token, methods=["POST"]),
            Route("/logout", provider.logout),
            *health.routes(),
            assets.ROUTE,
        ]
    )
    app.router.redirect_slashes = False
    surround(app, Answers(pages.problem), max_in_flight=MAX_IN_FLIGHT, form_targets=settings.public_urls.values())
    return WebParts(app, None, health)
