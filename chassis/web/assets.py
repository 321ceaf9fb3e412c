"""The pages' styles, scripts and icons, as the set-up built them into .build/assets."""

import re
from functools import cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

import orjson
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from chassis.web.problems import Problem

BUILT = Path(__file__).resolve().parents[2] / ".build" / "assets"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
# A name carries a hash of its content: what it names never changes.
FOREVER = "public, max-age=31536000, immutable"
ICON_NAME = re.compile(r"[a-z0-9-]+\Z")


@cache
def _manifest() -> dict[str, str]:
    """Name → name with its content's hash; empty where the assets were not built, as in unit tests."""
    file = BUILT / "manifest.json"
    return dict(orjson.loads(file.read_bytes())) if file.exists() else {}


@cache
def _served() -> frozenset[str]:
    return frozenset(_manifest().values())


def asset(name: str) -> str:
    """Return the address of an asset, for templates: `asset("htmx.min.js")`."""
    return f"/assets/{_manifest().get(name, name)}"


@cache
def icon(name: str, class_: str = "ico") -> Markup:
    """Return an icon as inline SVG, hidden from screen readers since a word stands beside it; nothing if unknown."""
    file = BUILT / "icons" / f"{name}.svg"
    if not ICON_NAME.match(name) or not file.exists():
        return Markup("")
    return Markup(file.read_text().replace('class="ico"', f"class={quoteattr(class_)}", 1))  # noqa: S704 - our own file


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _served():
        raise Problem(404, "not-found")
    media_type = MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
    return FileResponse(BUILT / name, media_type=media_type, headers={"cache-control": FOREVER})


ROUTE = Route("/assets/{name:path}", _serve, include_in_schema=False)
