"""Every page that a persona reaches by links: accessible in both languages and themes, on the desk and on the phone.

Pages are found, not listed: a new page that some page links is looked at without a word here. Of pages that differ only
by an id or by what a query asks for, one is looked at.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest
from playwright.async_api import Page

from tests.browser.arrivals import Arrivals
from tests.browser.conftest import AsRole, Axe
from tests.parts import DemoCity
from tests.system.desks import Desks

pytestmark = [pytest.mark.browser, pytest.mark.system]

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
# Answers that are files, not pages.
FILES = re.compile(r"\.(csv|xlsx|json)$")
# A board links to every mixture of its filters; what stands nearest to the first page is looked at.
MOST = 8
# Nothing of a page may read like this: a value that was not there, a text that was not filled in.
LEFTOVER = re.compile(r"\bNone\b|\bundefined\b|\bNaN\b|%\(|\{[a-z_]+\}|&lt;|Jinja")
# Parameters whose values are lists of their own, where another thing can be opened from.
LISTS = {"show"}
REFERENCE = re.compile(r"/(docs|asyncapi)$")
UNSTICK = """() => document.querySelectorAll("body *").forEach(each => {
    if (getComputedStyle(each).position === "sticky") each.style.position = "static";
})"""
HREFS = "links => links.filter(link => link.offsetParent).map(link => link.href)"
PERSONAS = [
    ("clerk", "station-01", 6),
    ("inspector", "station-01", 6),
    ("duty_officer", None, 6),
    ("notice_author", None, 4),
    ("notice_approver", None, 4),
    ("overseer", None, 3),
    ("manager", None, 2),
]


@pytest.fixture(scope="session")
async def content(city: DemoCity) -> None:
    """What desks are empty without: a notice, stays, an alert of each sort, a hazard."""
    desks = Desks(city.data_dir, city.status()["services"])
    async with httpx.AsyncClient(timeout=20.0) as http:
        arrivals = Arrivals(desks, http, await desks.premises(http))
        await arrivals.wanted()
        await arrivals.blocked()


def shape(address: str) -> str:
    """The page behind an address: without ids and values."""
    parts = urlsplit(address)
    asked = {f"{name}={value}" if name in LISTS else name for name, value in parse_qsl(parts.query)}
    return f"{ID.sub('…', parts.path)}?{'&'.join(sorted(asked))}"


async def reached(page: Page) -> dict[str, str]:
    """Shape → address of every page of this desk, found from where the page stands."""
    origin = urljoin(page.url, "/")
    found, waiting = {shape(page.url): page.url}, [page.url]
    while waiting and len(found) < MOST:
        await page.goto(waiting.pop(0))
        for address in await page.eval_on_selector_all("a[href]", HREFS):
            here = address.split("#")[0]
            if not here.startswith(origin) or FILES.search(urlsplit(here).path) or shape(here) in found:
                continue
            found[shape(here)] = here
            waiting.append(here)
    return found


async def looked_at(page: Page, axe: Axe, language: str, width: int, height: int, address: str) -> None:
    """Check the page in the light theme, and what a theme can change in the dark one."""
    await page.set_viewport_size({"width": width, "height": height})
    # A colour in transition between the themes is neither's.
    await page.emulate_media(reduced_motion="reduce")
    await page.context.add_cookies([{"name": "anju_lang", "value": language, "url": urljoin(address, "/")}])
    response = await page.goto(address)
    assert response is not None
    assert response.ok, f"{address}: {response.status}"
    # A reference of an API names its parameters in braces.
    text = "" if REFERENCE.search(address) else await page.inner_text("body")
    assert not LEFTOVER.search(text), f"{address}: {LEFTOVER.findall(text)}"
    # axe measures targets where they happen to stand, and what lies under a sticky bar can be scrolled free of it.
    await page.evaluate(UNSTICK)
    await axe(page)
    await page.evaluate("() => { document.documentElement.dataset.bsTheme = 'dark'; }")
    await axe(page, only="color-contrast")


@pytest.mark.parametrize(("role", "unit", "least"), PERSONAS)
async def test_every_page_of_a_persona(
    as_role: AsRole, axe: Axe, content: None, role: str, unit: str | None, least: int
) -> None:
    page = await as_role(role, unit=unit)
    pages = await reached(page)
    assert len(pages) >= least, sorted(pages)
    for address in pages.values():
        await looked_at(page, axe, "zh-CN", 1440, 900, address)
        await looked_at(page, axe, "en", 390, 844, address)


async def test_the_portal_and_what_it_says_to_machines(new_page: Any, axe: Axe, city: Any) -> None:
    page = await new_page()
    status = city.status()
    here = [status["pages"], *(f"{address}/docs" for address in status["services"].values())]
    for address in [*here, f"{status['services']['alerts']}/asyncapi"]:
        await looked_at(page, axe, "zh-CN", 1440, 900, address)
        await looked_at(page, axe, "en", 390, 844, address)
