"""An inspector registers premises by keyboard alone and sees them; every page is accessible, on the phone too."""

import asyncio
import uuid
from typing import Any

import pytest
from playwright.async_api import Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.system]

THUMB = "what a thumb presses is 48 px high and shows all of its words"
# look.md 2: targets on a phone are 48 px.
TOO_SMALL = """() => [...document.querySelectorAll(".visit button, .visit .pick, .visit a")]
    .filter(each => each.offsetParent)
    .filter(each => each.getBoundingClientRect().height < 48 || each.scrollHeight > each.clientHeight + 1)
    .map(each => each.textContent.trim())"""


async def test_an_inspector_registers_premises_by_keyboard(as_role: Any, axe: Any, picture: Any) -> None:
    name = f"键盘旅馆 {uuid.uuid4().hex[:6]}"
    page = await as_role("inspector", unit="station-01", width=1366, height=768)
    await axe(page)
    # A key pressed before the form is there would go to the list.
    async with page.expect_navigation():
        await page.get_by_role("link", name="登记住所").last.click()
    await page.keyboard.press("F2")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    assert await page.input_value("#kind") == "hotel"
    await page.keyboard.press("Enter")
    for typed in (name, "柳堤街道键盘路 1 号"):
        await page.keyboard.insert_text(typed)
        await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")  # the division of the own station stands there already
    for typed in ("30.25", "120.17"):
        await page.keyboard.type(typed)
        await page.keyboard.press("Enter")
    await page.keyboard.press("F3")
    await page.keyboard.insert_text("0801~0816 客房 16\n0001 厨房 30")
    await page.keyboard.press("F4")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    for typed in ("键盘旅馆有限公司", "13800000000"):
        await page.keyboard.insert_text(typed)
        await page.keyboard.press("Enter")
    await axe(page)
    await picture(page, "housing-form")
    async with page.expect_navigation():
        await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    await expect(page.get_by_role("status").first).to_contain_text("核定 64 人")
    await axe(page)
    await picture(page, "housing-detail")

    async with page.expect_navigation():
        await page.get_by_role("link", name="住所").first.click()
    await page.keyboard.press("/")
    await page.keyboard.insert_text(name)
    await page.keyboard.press("Enter")
    await expect(page.locator(".rows > li")).to_have_count(1)
    await expect(page.locator(".rows > li")).to_contain_text("0 / 64")


async def test_a_refused_form_says_where_and_keeps_what_was_typed(as_role: Any, axe: Any, picture: Any) -> None:
    page = await as_role("inspector", unit="station-01", language="en", theme="dark", width=390, height=844)
    await page.locator('nav a[href="/premises/new"]').click()
    await page.fill("#name", "Somewhere")
    await page.fill("#rooms", "0801 attic 20")
    await page.route("**/premises/new", lambda route: route.fulfill(status=503))
    await page.locator("[data-main]").click()
    await expect(page.locator("[data-unanswered]")).to_contain_text("What you typed is still here")
    await axe(page)
    await picture(page, "housing-unanswered-phone")
    await page.unroute("**/premises/new")
    await page.locator("[data-main]").click()
    await expect(page.locator(".error-summary")).to_be_focused()
    await expect(page.locator(".error-summary")).to_contain_text("Rooms: Line 1: there is no such type of room.")
    assert await page.input_value("#name") == "Somewhere"
    assert await page.input_value("#rooms") == "0801 attic 20"
    await axe(page)
    await picture(page, "housing-refused-phone")


async def test_a_blocked_exit_is_recorded_on_the_phone_without_a_network_and_sent_once(
    as_role: Any, axe: Any, picture: Any
) -> None:
    page = await as_role("inspector", unit="station-01", width=390, height=844)
    here = await _register(page)
    await page.goto(f"{here}/inspect")
    await axe(page)
    assert await page.evaluate(TOO_SMALL) == [], THUMB
    await page.get_by_label("同意", exact=True).check()
    await page.get_by_label("已检查", exact=True).check()
    await page.locator('[data-step="1"]').click()
    await expect(page.locator(".screen:visible h2")).to_contain_text("安全出口")
    await page.locator('.screen:visible input[value="fail"]').check()
    await expect(page.locator('.screen:visible input[value="imminent"]')).to_be_checked()
    await page.locator(".screen:visible textarea").fill("2 层东侧走道停放电动自行车")
    await axe(page)
    await picture(page, "housing-inspection-phone")
    assert await page.evaluate(TOO_SMALL) == [], THUMB
    await expect(page.locator(".visit-state")).to_contain_text("在本机")

    # The draft outlives the page.
    await page.reload()
    await expect(page.locator(".screen:visible textarea")).to_have_value("2 层东侧走道停放电动自行车")

    sent: list[tuple[str | None, str | None]] = []
    page.on(
        "request",
        lambda request: (
            sent.append((request.headers.get("idempotency-key"), request.post_data))
            if request.method == "POST"
            else None
        ),
    )
    await page.context.set_offline(True)
    await expect(page.locator(".visit-state")).to_contain_text("离线")
    await page.get_by_role("button", name="目录").click()
    await page.get_by_role("button", name="上传检查").click()
    await expect(page.locator(".visit-state")).to_contain_text("待上传")
    await page.context.set_offline(False)
    await expect(page.locator(".visit-state")).to_contain_text("已受理")
    assert len(sent) >= 2
    assert len(set(sent)) == 1
    await axe(page)
    await page.get_by_role("link", name="查看住所").click()
    await expect(page.locator("#hazards-h")).to_be_visible()
    await expect(page.locator(".page-head")).to_contain_text("紧迫危险")
    await axe(page)

    # Nothing is left on the phone: the next form is empty.
    await page.goto(f"{here}/inspect")
    await expect(page.locator(".screen:visible h2")).to_contain_text("入户之前")


async def test_what_is_chosen_before_the_script_has_come_is_no_less_chosen(as_role: Any) -> None:
    """On a slow line the form stands there before the script that keeps its draft."""
    page = await as_role("inspector", unit="station-01", width=390, height=844)
    here = await _register(page)
    arrived = asyncio.Event()

    async def late(route: Route) -> None:
        await arrived.wait()
        await route.continue_()

    await page.route("**/housing-visit.*.js", late)
    await page.goto(f"{here}/inspect", wait_until="commit")
    consent = page.get_by_label("同意", exact=True)
    await consent.check()
    arrived.set()
    await expect(page.locator(".visit-foot .btn-primary").first).to_contain_text("下一项：安全出口")
    await expect(consent).to_be_checked()
    await page.get_by_label("已检查", exact=True).check()
    await page.reload()
    await expect(consent).to_be_checked()


async def test_premises_with_a_hazard_are_seen_closed_and_found_on_the_map(
    as_role: Any, axe: Any, picture: Any
) -> None:
    page = await as_role("inspector", unit="station-01", theme="dark")
    here = await _register(page)
    await page.goto(here)
    await picture(page, "housing-premises")
    await page.get_by_role("link", name="停用…").click()
    await axe(page)
    await page.fill("#confirm_headcount", "1")
    await page.fill("#reason", "出口堵塞")
    await page.locator("[data-main]").click()
    await expect(page.locator(".error-summary")).to_contain_text("现在在住 0 人")
    await axe(page)
    await page.fill("#confirm_headcount", "0")
    await page.locator("[data-main]").click()
    await expect(page.get_by_role("link", name="恢复使用…")).to_be_visible()
    await page.get_by_role("link", name="在地图上看").click()
    await page.wait_for_url("**/map?at=*")
    await axe(page)
    await picture(page, "housing-map")
    await page.locator(".mark.at").click()
    await expect(page).to_have_url(here)


async def _register(page: Any) -> str:
    """Register premises on the form and return their page's address."""
    await page.locator('a[href="/premises/new"]').first.click()
    for field, typed in {
        "name": f"检查公寓 {uuid.uuid4().hex[:6]}",
        "address": "柳堤街道检查路 1 号",
        "latitude": "30.25",
        "longitude": "120.17",
        "rooms": "101 卧室 20",
    }.items():
        await page.fill(f"#{field}", typed)
    for field, typed in {"operator.name": "陈晓敏", "operator.phone": "13800000000"}.items():
        await page.fill(f'[name="{field}"]', typed)
    await page.locator("[data-main]").click()
    await page.wait_for_url("**/premises/*registered=1")
    return str(page.url).split("?")[0]
