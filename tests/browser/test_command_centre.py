"""The command centre in a browser: an alert comes by itself, and is worked through by keyboard alone."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.arrivals import Arrivals

pytestmark = [pytest.mark.browser, pytest.mark.system]

ROWS = "#board-list .rows > li"


async def open_alert(page: Page, alert: dict[str, Any]) -> None:
    """Open an alert by its row."""
    await page.locator(f"#row-{alert['alert_id']} .row-link").click()
    await expect(page.locator("#board-detail")).to_have_attribute("data-alert", alert["alert_id"])


async def test_an_alert_comes_by_itself_and_is_worked_by_keyboard(
    as_role: Any, axe: Any, picture: Any, arrivals: Arrivals
) -> None:
    """It stands there without a reload; acknowledge, view, verify, close; each look and step in its history."""
    page = await as_role("duty_officer", width=1920, height=1080)
    await expect(page.locator("[data-stream-health].live")).to_be_visible()
    alert = await arrivals.wanted()
    await expect(page.locator(f"#row-{alert['alert_id']}")).to_be_visible()
    await axe(page)
    await page.keyboard.press("/")
    await page.keyboard.type(alert["number"])
    await page.keyboard.press("Enter")
    await expect(page.locator(ROWS)).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.locator("body").click(position={"x": 960, "y": 900})
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("#board-detail")).to_have_attribute("data-alert", alert["alert_id"])
    assert alert["person"]["document"]["number"] not in await page.content()
    await picture(page, "command-centre-new")
    await axe(page)
    await page.keyboard.press("a")
    await expect(page.get_by_text("提交核实")).to_be_visible()
    await page.locator("#resident button").click()
    await expect(page.locator("#resident")).to_contain_text(alert["person"]["document"]["number"])
    await page.keyboard.press("v")
    await page.keyboard.press("Space")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#verification-reason-error")).to_be_visible()
    await expect(page.locator("#resident"), "the person stays beside a refused form").to_contain_text(
        alert["person"]["document"]["number"]
    )
    await axe(page)
    await picture(page, "command-centre-refused")
    await page.fill("#verification-reason", "两名民警到场，证件原件与本人相符。")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#closure-outcome")).to_be_visible()
    await page.locator("#board-detail").click(position={"x": 5, "y": 5})
    await page.keyboard.press("c")
    await page.keyboard.press("Space")
    await page.fill("#closure-reason", "移交柳堤派出所。")
    await page.keyboard.press("Control+Enter")
    history = page.locator("#board-detail .hist")
    for words in ("证件令牌比中", "接警", "查看在住人员信息", "核实：属实", "办结：已处置"):
        await expect(history).to_contain_text(words)
    await axe(page)
    await picture(page, "command-centre-closed")


async def test_an_officer_works_an_alert_with_nothing_but_keys(as_role: Any, arrivals: Arrivals) -> None:
    """Find, open, acknowledge, verify, close: no press of a mouse, and no focus but where keys have put it."""
    alert = await arrivals.wanted()
    page = await as_role("duty_officer")
    keys = page.keyboard
    await expect(page.locator(f"#row-{alert['alert_id']}")).to_be_visible()
    await keys.press("/")
    await keys.type(alert["number"])
    await keys.press("Enter")
    await expect(page.locator(ROWS)).to_have_count(1)
    await keys.press("Tab")
    await keys.press("j")
    await keys.press("Enter")
    await expect(page.locator("#board-detail")).to_have_attribute("data-alert", alert["alert_id"])
    await keys.press("a")
    await expect(page.locator("#verification-result")).to_be_visible()
    await keys.press("v")
    await keys.press("Space")
    await expect(page.locator("#verification-result")).to_be_checked()
    await keys.press("Tab")
    await keys.type("Two officers on the spot; the document is this person's.")
    await keys.press("Control+Enter")
    await expect(page.locator("#closure-outcome")).to_be_visible()
    # Whatever had the focus is gone with its form: the letter is heard by the page.
    await keys.press("c")
    await keys.press("Space")
    await expect(page.locator("#closure-outcome")).to_be_checked()
    await keys.press("Tab")
    await keys.type("Handed to the station.")
    await keys.press("Control+Enter")
    await expect(page.locator("#board-detail .hist")).to_contain_text("办结：已处置")
    await expect(page.locator(".step-bar li.done")).to_have_count(4)


async def test_new_alerts_wait_behind_the_bar_while_an_alert_is_open(as_role: Any, arrivals: Arrivals) -> None:
    """The list stays still under the eyes of who reads; N loads what came."""
    first = await arrivals.wanted()
    page = await as_role("duty_officer", width=1440, height=900)
    await open_alert(page, first)
    second = await arrivals.wanted()
    await expect(page.locator("#new-items")).to_contain_text("有 1 条新警情")
    await expect(page.locator(f"#row-{second['alert_id']}")).to_have_count(0)
    await expect(page.locator("#announce-critical")).not_to_be_empty()
    await page.keyboard.press("n")
    await expect(page.locator(f"#row-{second['alert_id']}")).to_be_visible()
    await expect(page.locator("#new-items")).to_be_hidden()
    await expect(page.locator("#board-detail")).to_have_attribute("data-alert", first["alert_id"])


async def test_what_another_officer_does_shows_at_once_and_takes_nothing_typed(
    as_role: Any, arrivals: Arrivals
) -> None:
    """The open alert follows; a form that somebody writes in stays, with a word above it. One officer at two desks."""
    alert = await arrivals.wanted()
    anna, bo = await as_role("duty_officer"), await as_role("duty_officer", width=1920)
    await open_alert(anna, alert)
    await open_alert(bo, alert)
    await anna.keyboard.press("a")
    await expect(anna.get_by_text("提交核实")).to_be_visible()
    await expect(bo.get_by_text("提交核实")).to_be_visible()
    await anna.fill("#verification-reason", "写到一半")
    await bo.locator("summary", has_text="加备注").click()
    await bo.fill("#notes-text", "电话通知了柳堤派出所")
    await bo.locator("#notes-text").press("Control+Enter")
    await expect(anna.locator("#detail-changed")).to_be_visible()
    assert await anna.input_value("#verification-reason") == "写到一半"
    await anna.locator("#detail-changed a").click()
    await expect(anna.locator("#board-detail .hist")).to_contain_text("电话通知了柳堤派出所")


async def test_the_sound_is_switched_and_tried(as_role: Any, axe: Any) -> None:
    """On says on only where the browser lets it be heard; the choice outlives the page."""
    page = await as_role("duty_officer", language="en", theme="dark")
    sound = page.locator("#sound")
    await expect(sound).to_have_attribute("aria-pressed", "false")
    await sound.click()
    await expect(sound).to_have_attribute("aria-pressed", "true")
    await expect(sound).to_contain_text("Sound on")
    await page.locator("#sound-test").click()
    await axe(page)
    await page.reload()
    assert await page.evaluate("localStorage.getItem('anju-sound')") == "1"
    await sound.click()
    await expect(sound).to_be_visible()


async def test_on_a_phone_the_alert_is_a_sheet_and_then_a_page_of_its_own(
    as_role: Any, axe: Any, picture: Any, arrivals: Arrivals
) -> None:
    """What is needed to take it on lies over the list; 详情 shows all of it, and its way back is the list."""
    alert = await arrivals.wanted()
    page = await as_role("duty_officer", width=390, height=844)
    await axe(page)
    await open_alert(page, alert)
    sheet = page.locator(".phone-sheet")
    await expect(sheet).to_contain_text("先做")
    await expect(page.locator("#board-list")).to_be_visible()
    for target in await sheet.locator("a, button").all():
        box = await target.bounding_box()
        assert box is not None
        assert box["height"] >= 48, "a thumb finds it"
        assert box["y"] + box["height"] <= 844, "within the screen"
    await axe(page)
    await picture(page, "command-centre-phone")
    await sheet.get_by_text("详情").click()
    await expect(page.locator("#board-list")).to_be_hidden()
    await expect(sheet).to_be_hidden()
    button = await page.locator("#board-mine .acknowledge").bounding_box()
    assert button is not None
    assert button["height"] >= 60, "the one button that cannot wait is as high as a thumb is wide"
    assert button["y"] + button["height"] == 844, "within the thumb's reach"
    await axe(page)
    await picture(page, "command-centre-phone-whole")
    await page.locator("#board-mine .acknowledge").click()
    await expect(page.get_by_text("提交核实")).to_be_visible()
    await page.locator(".detail-head").get_by_text("收起").click()
    await expect(page.locator("#board-list")).to_be_visible()


async def test_a_rules_alert_is_seen_with_its_facts(as_role: Any, axe: Any, picture: Any, arrivals: Arrivals) -> None:
    """A blocked exit with somebody inside: what, where and why in its row, and its facts in place of a person."""
    alert = await arrivals.blocked()
    page = await as_role("duty_officer")
    await expect(page.locator(f"#row-{alert['alert_id']}")).to_contain_text("人住危房")
    await open_alert(page, alert)
    await expect(page.locator("#facts")).to_contain_text("安全出口")
    await expect(page.locator("#resident")).to_have_count(0)
    await axe(page)
    await picture(page, "rule-alert")


async def test_while_many_alerts_come_the_list_is_loaded_seldom(as_role: Any) -> None:
    """20 changes a second for 4 s: the first one shows at once, then the rests grow; without it there are 15 loads."""
    page = await as_role("duty_officer")
    await expect(page.locator("[data-stream-health].live")).to_be_visible()
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if "/board/list" in request.url else None)
    await page.evaluate(
        """async () => {
          const told = JSON.stringify({ alert_id: "none", change: "updated", severity: "info", state: "new" });
          const from = Number(document.getElementById("board-list").dataset.position) + 1000;
          for (let id = from; id < from + 80; id += 1) {
            document.getElementById("stream").dispatchEvent(new CustomEvent("alert", { detail: { id, data: told } }));
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        }"""
    )
    assert 2 <= len(loads) <= 8, loads
    assert "seen=" in loads[0]
