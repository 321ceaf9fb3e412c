"""An inspector registers premises by keyboard alone and sees them; every page is accessible, on the phone too."""

import uuid
from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.system]


async def test_an_inspector_registers_premises_by_keyboard(as_role: Any, axe: Any, picture: Any) -> None:
    name = f"键盘旅馆 {uuid.uuid4().hex[:6]}"
    page = await as_role("inspector", unit="station-01", width=1366, height=768)
    await axe(page)
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
    await page.locator("[data-main]").click()
    await expect(page.locator(".error-summary")).to_be_focused()
    await expect(page.locator(".error-summary")).to_contain_text("Rooms: Line 1: there is no such type of room.")
    assert await page.input_value("#name") == "Somewhere"
    assert await page.input_value("#rooms") == "0801 attic 20"
    await axe(page)
    await picture(page, "housing-refused-phone")


async def test_the_managers_page_is_calm(as_role: Any, axe: Any, picture: Any) -> None:
    page = await as_role("manager", theme="dark")
    await expect(page.locator("main")).to_contain_text("没有服务发布过统计")
    await axe(page)
    await picture(page, "reporting")
