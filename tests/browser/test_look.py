"""The shared look on one page: accessible in every theme and size, usable by keyboard, honest about its connection."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from chassis.web import i18n
from chassis.web.edge import security_headers
from chassis.web.pages import environment

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
ASSETS = Path(__file__).resolve().parents[2] / ".build" / "assets"
# A name below localhost counts as trustworthy, as 127.0.0.1 does; nothing listens there.
ORIGIN = "http://look.localhost"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Open = Callable[..., Awaitable[Page]]


def html(language: str, theme: str, **context: Any) -> str:
    """Return the page as the machinery renders it."""
    now = datetime.now(UTC)
    i18n.load([i18n.ROOT / "chassis"])
    made = environment(HERE / "templates")
    made.globals["at"] = lambda seconds: now + timedelta(seconds=seconds)
    with i18n.reading(language):
        return made.get_template("look.html").render(
            lang=language,
            theme=theme,
            caller=SimpleNamespace(name="张明", role="duty_officer", unit="command-centre"),
            unit_name="指挥中心",
            portal_url="/",
            path="/",
            server_time=now,
            **{"bad": False, "stream": False, **context},
        )


@pytest.fixture
def open_look(new_page: Callable[..., Awaitable[Page]]) -> Open:
    """Opens the page under the headers of every page, without a server."""

    async def run(
        language: str = "en", theme: str = "light", width: int = 1440, height: int = 900, **context: Any
    ) -> Page:
        page = await new_page(viewport={"width": width, "height": height})
        page.sent = []  # type: ignore[attr-defined]

        async def answer(route: Route) -> None:
            path = urlsplit(route.request.url).path
            if path.startswith("/assets/"):
                file = ASSETS / path.removeprefix("/assets/")
                await route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
            elif path == "/stream":
                await route.abort()
            else:
                if route.request.method == "POST":
                    page.sent.append(route.request.post_data)  # type: ignore[attr-defined]
                body = html(language, theme, **context)
                await route.fulfill(body=body, content_type="text/html; charset=utf-8", headers=security_headers(""))

        await page.route("**/*", answer)
        await page.goto(f"{ORIGIN}/")
        return page

    return run


@pytest.mark.parametrize(
    ("language", "width", "height"), [("zh-CN", 1920, 1080), ("en", 1366, 768), ("zh-CN", 390, 844)]
)
async def test_no_violation_in_any_theme_and_size(
    open_look: Open, axe: Any, picture: Any, language: str, width: int, height: int
) -> None:
    page = await open_look(language, "light", width, height, bad=True)
    for theme in ("light", "dark"):
        await page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme; }", theme)
        await picture(page, f"look-{language}-{theme}-{width}")
        await axe(page)


async def test_enter_goes_through_the_form_and_sends_it_once(open_look: Open) -> None:
    page = await open_look()
    await page.keyboard.press("F2")
    for expected in ("number", "person.name", "room", "result"):
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == expected
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "reason"
    await page.keyboard.press("Enter")  # a line end, in a text of many lines
    assert await page.input_value("#reason") == "\n"
    async with page.expect_navigation():
        await page.evaluate(
            """() => { const form = document.getElementById('form'), main = form.querySelector('[data-main]');
                   form.requestSubmit(main); form.requestSubmit(main); }"""
        )
    assert len(page.sent) == 1  # type: ignore[attr-defined]


async def test_control_enter_sends_from_any_field(open_look: Open) -> None:
    page = await open_look()
    await page.fill("#reason", "seen")
    async with page.expect_navigation():
        await page.keyboard.press("Control+Enter")
    assert "reason=seen" in page.sent[0]  # type: ignore[attr-defined]


async def test_a_refused_form_takes_the_focus_to_its_summary_and_to_the_field(open_look: Open) -> None:
    page = await open_look(bad=True)
    await expect(page.locator(".error-summary")).to_be_focused()
    await page.get_by_role("link", name="Room: There is no room 0896").click()
    assert await page.evaluate("document.activeElement.id") == "room"
    assert await page.get_attribute("#room", "aria-invalid") == "true"


async def test_single_keys_act_and_are_silent_while_typing(open_look: Open) -> None:
    page = await open_look()
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == "#urgent"
    await page.keyboard.press("k")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == "#critical"
    await page.keyboard.press("a")
    await page.wait_for_url("**/#x")
    await page.fill("#room", "")
    await page.keyboard.type("ja?")
    assert await page.input_value("#room") == "ja?"
    await expect(page.locator("dialog")).to_have_count(0)


async def test_the_sheet_shows_the_pages_keys_and_switches_them_off(open_look: Open, axe: Any) -> None:
    page = await open_look()
    await page.keyboard.press("?")
    sheet = page.locator("dialog.sheet")
    await expect(sheet).to_contain_text("Acknowledge this")
    await expect(sheet).to_contain_text("Document")
    await expect(sheet).not_to_contain_text("load_new")
    await axe(page)
    await sheet.get_by_role("checkbox").uncheck()
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.tagName") != "A"
    await page.keyboard.press("?")
    await expect(sheet).to_be_visible()


async def test_theme_and_language_follow_the_system_until_chosen_and_are_kept(open_look: Open) -> None:
    page = await open_look("zh-CN", theme="auto")
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    await page.emulate_media(color_scheme="light")
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    await page.get_by_role("button", name="深色").first.click()
    assert await page.get_attribute("html", "data-bs-theme") == "dark"
    async with page.expect_navigation():
        await page.get_by_role("button", name="English").first.click()
    kept = {cookie["name"]: cookie["value"] for cookie in await page.context.cookies()}
    assert kept == {"anju_theme": "dark", "anju_lang": "en"}


async def test_clocks_count_against_the_server(open_look: Open) -> None:
    page = await open_look("zh-CN")
    clocks = page.locator(".rows .clk")
    await expect(clocks.nth(0)).to_have_class("clk over")
    first = await clocks.nth(0).inner_text()
    assert re.fullmatch(r"Acknowledge 超 [01]:\d\d", first)
    await expect(clocks.nth(0)).not_to_have_text(first)  # the page counts on
    await expect(clocks.nth(1)).to_have_class("clk soon")
    await expect(clocks.nth(1)).to_contain_text(re.compile(r"剩 1:\d\d"))
    await expect(clocks.nth(2)).to_have_class("clk")
    await expect(clocks.nth(3)).to_contain_text("剩 1 天 3 时")
    await expect(page.locator("[data-wall-clock]")).to_contain_text(":")


async def test_a_stream_that_cannot_be_opened_is_said_aloud(open_look: Open) -> None:
    page = await open_look(stream=True)
    await expect(page.locator("[data-stream-health]")).to_contain_text("Connecting")
    await page.evaluate("() => { const real = Date.now; Date.now = () => real() + 20000; }")
    await expect(page.locator("#connection")).to_contain_text("Connection lost for 20 s")
    await expect(page.locator("[data-stream-health]")).to_have_class("health stale")
