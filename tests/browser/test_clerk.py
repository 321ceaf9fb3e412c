"""A clerk registers people by keyboard alone, is told what to read again, and sees a person only for a reason."""

import re
import uuid
from datetime import date
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from services.registration.domain.documents import check_character
from tests.parts import DemoCity
from tests.people import People
from tests.system.desks import Desks

pytestmark = [pytest.mark.browser, pytest.mark.system]
NUMBER = '[name="person.document.number"]'
# In points of 1/72 inch.
A5 = (b"420", b"594")
# More stops than any page has before what is looked for.
MOST_TABS = 60


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


async def tab_to(page: Page, element: str) -> None:
    """Press Tab until the element has the focus, as somebody does who has no mouse."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("css => document.activeElement.matches(css)", element):
            return
    raise AssertionError(f"no way by Tab to {element}")


async def test_a_clerk_goes_from_log_in_to_receipt_and_the_next_guest_with_nothing_but_keys(
    city: DemoCity, new_page: Any, picture: Any, axe: Any, hotel: str, people: People
) -> None:
    """No press of a mouse, nothing filled in by script, and no focus but where keys have put it."""
    page = await new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    keys = page.keyboard
    await page.goto(city.status()["pages"])
    await tab_to(page, '[data-role="clerk"][data-unit="station-01"]')
    await keys.press("Enter")
    await expect(page.locator(NUMBER)).to_be_focused()

    first, second = people.person(rare=0), people.person(rare=0)
    await keys.type(first["document"]["number"])
    await keys.press("Enter")
    await expect(page.locator('[name="person.birth_date"]')).to_have_value(first["birth_date"].replace("-", ""))
    await keys.type(first["name"])
    await keys.press("F4")
    await keys.type(hotel.split()[1])
    await page.locator("#places button").wait_for()
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(page.locator("#room")).to_be_focused()
    await keys.type("0803")
    await keys.press("Enter")
    await expect(page.locator("#arrived_at")).to_be_focused()
    await keys.press("Enter")
    await keys.type("+2")
    await keys.press("Enter")
    await expect(page.locator("#stay")).to_be_focused()
    await keys.press("Enter")
    await expect(page.locator("[data-main]")).to_be_focused()
    await keys.press("Enter")

    # Registered; Enter goes through the next guest, whose place, room and end stand there.
    await expect(page.locator(".note-ok")).to_contain_text("已受理，回执")
    await expect(page.locator(NUMBER)).to_be_focused()
    await keys.type(second["document"]["number"])
    await keys.press("Enter")
    await expect(page.locator('[name="person.birth_date"]')).to_have_value(second["birth_date"].replace("-", ""))
    await keys.type(second["name"])
    assert await page.input_value("#room") == "0803"
    await keys.press("F6")
    receipt = page.locator(".receipt")
    for words in ("居住登记凭证", hotel, "0803", "旅馆住宿", "柳堤派出所", "按时"):
        await expect(receipt).to_contain_text(words)
    for hidden in (second["name"], second["document"]["number"]):
        await expect(receipt).not_to_contain_text(hidden)
    await axe(page)
    await picture(page, "clerk-receipt-to-print")
    printed = await page.pdf(prefer_css_page_size=True)
    assert re.findall(rb"/MediaBox \[0 0 (\d+) (\d+)", printed) == [A5], "one page, and nothing of the desk on it"
    await keys.press("F2")
    await expect(page.locator(NUMBER)).to_be_focused()
    await expect(page.locator("aside .rows > li").first).to_contain_text("0803")


async def test_the_number_is_seen_in_its_groups_while_it_is_typed(as_role: Any, axe: Any, people: People) -> None:
    page = await as_role("clerk", unit="station-01", width=1366, height=768)
    number = people.resident_id(date(1990, 2, 13), "male")
    groups = page.locator("#number-groups")
    await page.keyboard.type(number[:8])
    await expect(groups).to_have_text(re.compile(rf"{number[:6]}\s+{number[6:8]}\s+已输 8 位，共 18 位"))
    for _ in range(4):
        await page.keyboard.press("ArrowLeft")
    await page.keyboard.type("9")
    await page.keyboard.press("Backspace")
    await page.keyboard.type(number[8:10])
    assert await page.input_value(NUMBER) == number[:4] + number[8:10] + number[4:8], "what is typed lands at the caret"
    await page.keyboard.press("Control+A")
    await page.keyboard.type(number)
    # Nobody left the field: its last character is enough.
    await expect(page.locator("#number-says")).to_contain_text("1990")
    await expect(page.locator('[name="person.sex"]')).to_have_value("male")
    await expect(page.locator(NUMBER)).to_be_focused()
    assert await page.input_value(NUMBER) == number
    await page.keyboard.press("Control+A")
    await page.keyboard.type(number[:6] + "19900231" + number[14:])
    await expect(groups.locator(".again")).to_have_text("19900231")
    await axe(page)


@pytest.mark.parametrize("failure", ["unavailable", "no answer", "logged out"])
async def test_nothing_typed_is_lost_when_no_answer_comes(
    as_role: Any, axe: Any, picture: Any, hotel: str, people: People, failure: str
) -> None:
    """The page says so and keeps everything; the same sent again registers once."""
    person = people.person(rare=0)
    page = await as_role("clerk", unit="station-01", width=1366, height=768, theme="dark", language="en")
    await page.keyboard.type(person["document"]["number"])
    await page.keyboard.press("Enter")
    await page.keyboard.insert_text(person["name"])
    await choose(page, hotel)
    await page.keyboard.type("0802")

    async def fail(route: Route) -> None:
        if route.request.method != "POST":
            await route.fallback()
        elif failure == "unavailable":
            await route.fulfill(status=503, content_type="text/html", body="<main id=main><h1>Busy</h1></main>")
        elif failure == "logged out":
            await route.fulfill(status=401)
        else:
            # It arrives and takes effect; only its answer is lost, and that late.
            await route.fetch(max_redirects=0)
            await expect(page.locator(".loading-line")).to_be_visible()
            await route.abort()

    here = re.compile(r"^http://[^/]+/$")
    await page.route(here, fail)
    await page.keyboard.press("Control+Enter")
    told = page.locator("[data-unanswered]")
    await expect(told).to_contain_text("What you typed is still here")
    await expect(told.locator("a")).to_have_count(1 if failure == "logged out" else 0)
    for field, typed in ((NUMBER, person["document"]["number"]), ('[name="person.name"]', person["name"])):
        assert await page.input_value(field) == typed
    await axe(page)
    await picture(page, f"clerk-{failure.replace(' ', '-')}")
    await page.unroute(here)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".note-ok")).to_contain_text("Registered, receipt")
    await expect(page.locator("aside .rows > li").first).to_contain_text("0802")
    assert await page.locator("aside .rows > li", has_text=hotel).count() == 1


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
    await page.locator(".note-ok").get_by_role("link", name="打开").click()
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
