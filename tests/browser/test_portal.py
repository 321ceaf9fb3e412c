"""The start page: a figure for each desk from the services themselves; calm and plain when some do not answer."""

import json
from typing import Any

import pytest
from playwright.async_api import Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.system]


async def test_every_desk_has_a_figure(new_page: Any, picture: Any, city: Any) -> None:
    page = await new_page(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    await page.goto(city.status()["pages"])
    desks = page.locator("[data-desk]")
    await expect(desks).to_have_count(7)
    for role in ("duty_officer", "premises_operator", "notice_author", "overseer", "inspector"):
        assert (await page.inner_text(f"[data-desk={role}] [data-number]")).rstrip("+").isdigit(), role
    await expect(page.locator("#answering")).to_contain_text("8 / 8")
    await picture(page, "portal")


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-CN", "light", 1440), ("en", "dark", 390)])
async def test_a_desk_that_does_not_answer_says_so(
    new_page: Any, axe: Any, picture: Any, city: Any, language: str, theme: str, width: int
) -> None:
    page = await new_page(viewport={"width": width, "height": 900}, locale=language)
    await page.context.add_cookies([{"name": "anju_theme", "value": theme, "url": city.status()["pages"]}])

    async def broken(route: Route) -> None:
        known = await (await route.fetch()).json()
        known["desks"]["duty_officer"] = {"number": None, "second": None, "more": False, "since": None, "up": False}
        known["desks"]["manager"] = {"number": None, "second": None, "more": False, "since": None, "up": True}
        known["desks"]["notice_author"] = {"number": 100, "second": None, "more": True, "since": None, "up": True}
        known["answering"] = 6
        await route.fulfill(body=json.dumps(known), content_type="application/json")

    await page.route("**/pipeline.json", broken)
    await page.goto(city.status()["pages"])
    officer = page.locator("[data-desk=duty_officer]")
    await expect(officer.locator("[data-number]")).to_have_text("–")
    await expect(officer.locator(".quiet")).to_be_visible()
    await expect(officer.locator(".means")).to_be_hidden()
    await expect(page.locator("[data-desk=manager] [data-number]")).to_have_text(
        "隐去" if language == "zh-CN" else "suppressed"
    )
    await expect(page.locator("[data-desk=notice_author] [data-number]")).to_have_text("100+")
    await expect(page.locator("#answering")).to_have_class("health stale")
    await expect(page.locator("#answering .lacking")).to_be_visible()
    await expect(page.locator("#answering .whole")).to_be_hidden()
    await axe(page)
    await picture(page, f"portal-failing-{width}")
    await page.unroute("**/pipeline.json")
    await page.route("**/pipeline.json", lambda route: route.abort())
    await expect(page.locator(".pipe-state .stale")).to_be_visible()
    await axe(page)
