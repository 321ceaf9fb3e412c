"""The board when things are not well: slow, failing, without its stream; nothing is lost, and words say what is."""

from typing import Any

import httpx
import pytest
from playwright.async_api import Route, expect

from tests.browser.arrivals import Arrivals
from tests.browser.test_command_centre import ROWS, open_alert
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.system]


async def fail(route: Route) -> None:
    """Answer as a proxy does whose service is gone."""
    await route.fulfill(status=503, content_type="text/html", body="<!doctype html><h1>Bad gateway</h1>")


async def test_a_step_that_gets_no_answer_leaves_the_board_as_it_is(
    as_role: Any, axe: Any, picture: Any, arrivals: Arrivals
) -> None:
    """What was typed stays, a sentence says that nothing was changed; the next try goes through and takes it away."""
    alert = await arrivals.wanted()
    page = await as_role("duty_officer", width=1366, height=768)
    await open_alert(page, alert)
    await page.keyboard.press("a")
    await expect(page.locator("#verification-result")).to_be_visible()
    await page.keyboard.press("v")
    await page.keyboard.press("Space")
    await page.fill("#verification-reason", "写了很多")
    await page.route("**/verification?*", fail)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#connection")).to_contain_text("没有答复")
    await expect(page.locator("#board-detail")).to_have_attribute("data-alert", alert["alert_id"])
    assert await page.input_value("#verification-reason") == "写了很多"
    await axe(page)
    await picture(page, "command-centre-failing")
    await page.unroute("**/verification?*")
    await page.locator("#verification-reason").press("Control+Enter")
    await expect(page.locator("#closure-outcome")).to_be_visible()
    await expect(page.locator("#connection")).to_be_hidden()


async def test_a_slow_answer_keeps_the_rows_and_draws_a_line(as_role: Any, picture: Any, arrivals: Arrivals) -> None:
    """No skeleton, nothing greyed: the old rows and a line under the bar until the answer is there."""
    await arrivals.wanted()
    page = await as_role("duty_officer")
    waiting: list[Route] = []

    async def hold(route: Route) -> None:
        waiting.append(route)

    await page.route("**/?state=new", hold)
    await page.locator('#board-facets a[href="/?state=new"]').click()
    await expect(page.locator(".loading-line")).to_be_visible()
    await expect(page.locator("#board-list .rows > li").first).to_be_visible()
    await picture(page, "command-centre-slow")
    await waiting[0].continue_()
    await expect(page.locator(".loading-line")).to_be_hidden()
    await expect(page.locator('#board-facets a[href="/?state=new"]')).to_have_attribute("aria-current", "true")


async def test_a_late_list_does_not_take_the_place_of_what_was_searched(as_role: Any, arrivals: Arrivals) -> None:
    """The list was asked for when a change came; before its answer the officer searched: that list stays."""
    await arrivals.wanted()
    page = await as_role("duty_officer")
    await expect(page.locator("[data-stream-health].live")).to_be_visible()
    held: list[Route] = []

    async def hold_the_first(route: Route) -> None:
        if held:
            await route.continue_()
        held.append(route)

    await page.route("**/board/list?*", hold_the_first)
    alert = await arrivals.wanted()
    await until(lambda: bool(held))
    await page.fill(".board-search input", alert["number"])
    await page.keyboard.press("Enter")
    await expect(page.locator(ROWS)).to_have_count(1)
    async with page.expect_response("**/board/list?*") as late:
        await held[0].continue_()
    await (await late.value).finished()
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    await expect(page.locator(ROWS)).to_have_count(1)
    assert await page.locator(ROWS).first.get_attribute("id") == f"row-{alert['alert_id']}"


async def test_a_lost_stream_is_told_by_age_and_banner(as_role: Any, axe: Any, picture: Any) -> None:
    """The data's age turns red after 15 s, the banner says what does not arrive; both go when the stream is back."""
    page = await as_role("duty_officer", language="en", theme="dark")
    await expect(page.locator("[data-stream-health].live")).to_be_visible()
    await page.clock.install()
    await page.route("**/alerts/stream?*", fail)
    await page.reload()
    await page.clock.run_for(17_000)
    await expect(page.locator("[data-stream-health].stale")).to_contain_text("s old")
    await expect(page.locator("#connection")).to_contain_text("Connection lost")
    await axe(page)
    await picture(page, "command-centre-lost")
    await page.unroute("**/alerts/stream?*")
    await page.clock.run_for(3_000)
    await expect(page.locator("[data-stream-health].live")).to_be_visible()
    await expect(page.locator("#connection")).to_be_hidden()


async def test_a_renewal_that_is_slow_takes_nothing_that_was_begun_meanwhile(
    as_role: Any, city: Any, arrivals: Arrivals
) -> None:
    """Nobody typed when it was asked for; when its answer comes somebody does: the words stay, a line says so."""
    alert = await arrivals.wanted()
    page = await as_role("duty_officer")
    await open_alert(page, alert)
    waiting: list[Route] = []

    async def hold(route: Route) -> None:
        waiting.append(route)

    await page.route("**/board/detail?*", hold)
    desks = Desks(city.data_dir, city.status()["services"])
    address = f"{desks.services['alerts']}/api/v1/alerts/{alert['alert_id']}/notes"
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            address, json={"text": "电话"}, headers=desks.headers("duty_officer", "command-centre")
        )
    assert answer.status_code == 200, answer.text

    async def is_asked() -> bool:
        return bool(waiting)

    await until(is_asked)
    await page.locator("summary", has_text="加备注").click()
    await page.fill("#notes-text", "写到一半")
    await waiting[0].continue_()
    await expect(page.locator("#detail-changed")).to_be_visible()
    assert await page.input_value("#notes-text") == "写到一半"
