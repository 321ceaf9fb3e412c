"""Drives the demo city's pages with the system's Chromium: logs in by the portal, checks with axe, keeps pictures.

    async def test_board(as_role: Any, axe: Any, picture: Any) -> None:
        page = await as_role("duty_officer")                 # logged in, on that role's page, in Chinese, 1440 x 900
        page = await as_role("clerk", unit="station-01", language="en", theme="dark", width=390, height=844)
        await axe(page)                                      # fails with what axe found; WCAG 2.0 to 2.2, A and AA
        await picture(page, "board")                         # .build/pictures/board.png, for people to look at

A page that writes an error to its console, or breaks the content security policy, fails its test.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.browser.arrivals import Arrivals
from tests.system.desks import Desks

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
PICTURES = BUILD / "pictures"
# A loaded machine of two cores; what is waited for is there within a second on an idle one.
PATIENCE_MS = 20_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
# What passed stays in the page: to bring it over takes longer than to find it.
VIOLATIONS = """which => axe.run({runOnly: which, resultTypes: ["violations"]}).then(result =>
    result.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 200))]))"""
# A button that is between two themes' colours has the contrast of neither.
TRANSITIONS_ENDED = """() => Promise.allSettled(
    document.getAnimations().filter(each => each instanceof CSSTransition).map(each => each.finished))"""
# Chromium reports every answer of 400 and more as an error of the page: a refused form is none.
NOT_A_FAULT = "Failed to load resource"


class AsRole(Protocol):
    """Opens a page as a persona of the portal."""

    def __call__(
        self,
        role: str,
        *,
        unit: str | None = None,
        language: str = "zh-CN",
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
    ) -> Awaitable[Page]:
        """Return a page on which the persona is logged in, at the role's own page."""


class Axe(Protocol):
    """Fails with what axe found on a page as it stands."""

    def __call__(self, page: Page, *, only: str = "") -> Awaitable[None]:
        """Check every rule of WCAG, or `only` one rule of axe."""


Picture = Callable[[Page, str], Awaitable[None]]


def asset(name: str) -> Path:
    """Return a built asset's file."""
    manifest: dict[str, str] = json.loads((BUILD / "assets" / "manifest.json").read_text())
    return BUILD / "assets" / manifest[name]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The run's Chromium: the one whose path set-up wrote down."""
    executable = (BUILD / "chromium").read_text().strip()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield started
        await started.close()


@pytest.fixture
async def new_page(browser: Browser) -> AsyncIterator[Callable[..., Awaitable[Page]]]:
    """Opens pages in contexts of their own; their faults fail the test when it ends."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and NOT_A_FAULT not in message.text:
            faults.append(message.text)

    async def make(**options: Any) -> Page:
        contexts.append(await browser.new_context(**options))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        page = await contexts[-1].new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield make
    for context in contexts:
        await context.close()
    assert not faults


@pytest.fixture
def as_role(city: Any, new_page: Callable[..., Awaitable[Page]]) -> AsRole:
    """Logs in as a persona by the portal's start page."""
    portal = city.status()["pages"]

    async def open_page(
        role: str,
        *,
        unit: str | None = None,
        language: str = "zh-CN",
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
    ) -> Page:
        page = await new_page(viewport={"width": width, "height": height}, locale=language)
        await page.context.add_cookies(
            [
                {"name": "anju_lang", "value": language, "url": portal},
                {"name": "anju_theme", "value": theme, "url": portal},
            ]
        )
        await page.goto(portal)
        persona = f'[data-role="{role}"]' + (f'[data-unit="{unit}"]' if unit else "")
        await page.locator(persona).first.click()
        await page.locator(".person").wait_for()
        return page

    return open_page


@pytest.fixture(scope="session")
def picture() -> Picture:
    """Keeps a picture of the page under a name; the folder is not in git."""

    async def take(page: Page, name: str) -> None:
        PICTURES.mkdir(exist_ok=True)
        # Hiding the caret leaves a style attribute behind, which the next swap of htmx would copy against the policy.
        await page.screenshot(path=PICTURES / f"{name}.png", caret="initial")

    return take


@pytest.fixture(scope="session")
def axe() -> Axe:
    """Fails when axe-core finds a violation of WCAG 2.0 to 2.2, level A or AA."""
    source = asset("axe.min.js").read_text()

    async def check(page: Page, *, only: str = "") -> None:
        await page.wait_for_load_state()  # its styles are part of what is judged
        # Evaluated by the debugger's protocol: the page's content security policy lets no foreign script in.
        await page.evaluate(source)
        await page.evaluate(TRANSITIONS_ENDED)
        found = await page.evaluate(VIOLATIONS, [only] if only else WCAG)
        assert not found, found
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the page scrolls sideways by {wide} px"

    return check


@pytest.fixture
async def arrivals(city: Any) -> AsyncIterator[Arrivals]:
    """A hotel and who arrives there."""
    desks = Desks(city.data_dir, city.status()["services"])
    async with httpx.AsyncClient(timeout=20.0) as http:
        yield Arrivals(desks, http, await desks.premises(http))
