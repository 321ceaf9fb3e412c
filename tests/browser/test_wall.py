"""The wall in a browser: it changes by itself, names no place finely, fits its screen, and says when it is old."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.arrivals import Arrivals

pytestmark = [pytest.mark.browser, pytest.mark.system]

FITS = (
    "document.documentElement.scrollHeight <= innerHeight && document.querySelector('#wall').scrollWidth <= innerWidth"
)


async def test_a_wall_shows_what_waits_without_a_hand(as_role: Any, axe: Any, picture: Any, arrivals: Arrivals) -> None:
    """A new alert is on it by itself, without street or room; every size of screen shows all of it."""
    page = await as_role("duty_officer", width=1920, height=1080)
    await page.get_by_role("link", name="大屏").click()
    await expect(page.locator("[data-stream-health].live")).to_be_visible()
    await page.wait_for_load_state()
    before = await page.locator(".wall-waiting .critical b, .wall-waiting li:first-child b").first.inner_text()
    await arrivals.wanted()
    await expect(page.locator(".wall-waiting li:first-child b")).to_have_text(str(int(before) + 1))
    await expect(page.locator(".wall-first")).to_contain_text("无人接警")
    assert await page.evaluate(FITS)
    await axe(page)
    await picture(page, "wall")
    for language, width, height in (("en", 1366, 768), ("zh-CN", 1440, 900)):
        page = await as_role("duty_officer", language=language, width=width, height=height)
        await page.locator('a[href="/wall"]').click()
        await page.locator(".wall-first").wait_for()
        await page.wait_for_load_state()  # without its styles nothing fits
        assert await page.evaluate(FITS), (width, height)
        await axe(page)


async def test_a_wall_that_is_not_renewed_says_how_old_it_is(as_role: Any, axe: Any) -> None:
    """The stream may live while the service cannot read its database: what hangs there is old then."""
    page = await as_role("duty_officer", width=1920, height=1080)
    await page.clock.install()
    await page.locator('a[href="/wall"]').click()
    await page.locator(".wall-first").wait_for()

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, body="")

    await page.route("**/wall/now", fail)
    await page.clock.fast_forward(16_000)
    await expect(page.locator("#wall-old")).to_contain_text("停在")
    await axe(page)
    await page.unroute("**/wall/now")
    await page.clock.fast_forward(6_000)
    await expect(page.locator("#wall-old")).to_be_hidden()
