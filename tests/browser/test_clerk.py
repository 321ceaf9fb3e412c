"""A clerk registers people by keyboard alone, is told what to read again, and sees a person only for a reason."""

import re
import uuid
from datetime import date
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from services.registration.domain.documents import check_character
from tests.parts import DemoCity
from tests.people import People
from tests.system.desks import Desks

pytestmark = [pytest.mark.browser, pytest.mark.system]
NUMBER = '[name="person.document.number"]'


@pytest.fixture
async def hotel(city: DemoCity) -> str:
    """The address of a hotel that registration knows."""
    address = f"柳堤街道键盘路 {uuid.uuid4().hex[:8]} 号"
    async with httpx.AsyncClient(timeout=30.0) as http:
        await Desks(city.data_dir, city.status()["services"]).premises(http, address=address)
    return address


@pytest.fixture
def people() -> People:
    """People whom no other test registers."""
    return People(uuid.uuid4().int)


async def choose(page: Page, address: str) -> None:
    """Find premises by a part of their address."""
    await page.keyboard.press("F4")
    await page.keyboard.insert_text(address.split()[1])
    await page.locator("#places button").wait_for()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#room")).to_be_focused()


async def test_a_clerk_registers_by_keyboard_alone(
    as_role: Any, axe: Any, picture: Any, hotel: str, people: People
) -> None:
    person = people.person(rare=0)
    page = await as_role("clerk", unit="station-01", width=1366, height=768)
    await axe(page)
    await expect(page.locator(NUMBER)).to_be_focused()
    await page.keyboard.type(person["document"]["number"].lower())
    await page.keyboard.press("Enter")
    await expect(page.locator('[name="person.birth_date"]')).to_have_value(person["birth_date"].replace("-", ""))
    await page.keyboard.insert_text(person["name"])
    await choose(page, hotel)
    await page.keyboard.type("0899")
    await page.keyboard.press("Enter")
    await axe(page)
    await picture(page, "clerk-form")

    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".error-summary")).to_be_focused()
    await expect(page.locator(".error-summary")).to_contain_text("房号：这处住所没有这个房号。")
    assert await page.input_value('[name="person.name"]') == person["name"]
    await axe(page)
    await picture(page, "clerk-refused")

    await page.keyboard.press("F3")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("0803")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".note-ok")).to_contain_text("已受理，回执")
    await expect(page.locator(NUMBER)).to_be_focused()
    assert await page.input_value("#room") == "0803"
    assert person["document"]["number"] not in await page.content()
    await expect(page.locator("aside .rows > li").first).to_contain_text("0803")
    await axe(page)
    await picture(page, "clerk-receipt")


async def test_a_number_to_verify_is_advice_and_a_minor_asks_for_a_guardian(
    as_role: Any, axe: Any, picture: Any, hotel: str, people: People
) -> None:
    page = await as_role("clerk", unit="station-01", language="en", theme="dark", width=390, height=844)
    number = people.resident_id(date(1990, 2, 13), "male")
    await page.fill(NUMBER, number[:6] + "19900231" + number[14:])
    await page.locator('[name="person.name"]').focus()
    await expect(page.locator("#number-says")).to_contain_text("read the second group again")
    like_a_permit = "830199" + number[6:17]
    await page.fill(NUMBER, like_a_permit + check_character(like_a_permit))
    await page.locator('[name="person.name"]').focus()
    await expect(page.locator("#number-says")).to_contain_text("begins as on another document")
    await expect(page.locator(NUMBER)).to_have_class(re.compile("is-advice"))
    await choose(page, hotel)
    child = people.resident_id(date(2018, 5, 5))
    await page.fill(NUMBER, child)
    await page.locator('[name="person.name"]').focus()
    await expect(page.locator('[name="guardian.phone"]')).to_be_visible()
    await axe(page)
    await picture(page, "clerk-minor-phone")
    await page.select_option('[name="person.document.kind"]', "passport")
    await expect(page.locator('[name="person.document.issuing_country"]')).to_be_visible()


async def test_a_person_is_shown_for_a_reason_and_leaves(
    as_role: Any, axe: Any, picture: Any, hotel: str, people: People
) -> None:
    person = people.person(rare=0) | {"name": "欧阳晓华"}
    page = await as_role("clerk", unit="station-01")
    await page.fill(NUMBER, person["document"]["number"])
    await page.fill('[name="person.name"]', person["name"])
    await choose(page, hotel)
    await page.locator('.room[data-room="0801"]').click()
    await page.keyboard.press("Control+Enter")
    await page.locator(".note-ok a").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("欧*华")
    await axe(page)
    await page.select_option("#purpose", "registration_service")
    await page.fill("#case", "A-1")
    await page.get_by_role("button", name="查看").click()
    await expect(page.locator("#person-h")).to_contain_text("人员")
    await expect(page.locator("main")).to_contain_text(person["name"])
    await picture(page, "clerk-stay")
    await page.select_option("#field", "name")
    await page.locator("#value").fill("欧阳小华")
    await page.fill("#reason", "读错")
    await page.get_by_role("button", name="更正").click()
    await expect(page.get_by_role("status")).to_contain_text("已更正")
    await page.get_by_role("button", name="记录离开").click()
    await expect(page.get_by_role("status")).to_contain_text("已记录离开")
    await axe(page)
