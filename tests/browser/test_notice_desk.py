"""The notice desk in a browser: proposed by one unit, approved on the whole content by another."""

import random
from hashlib import sha256
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.people import People
from tests.system.desks import Desks

pytestmark = [pytest.mark.browser, pytest.mark.system]


async def propose(author: Page, person: dict[str, Any], axe: Any, picture: Any) -> None:
    """Fill the form in with faults, then without; each fault stands at its field, nothing is lost."""
    number = person["document"]["number"]
    await author.get_by_role("link", name="申请布控").click()
    await expect(author.locator("[id='instrument.number']")).to_be_focused()
    hidden = await author.locator(".form-body").evaluate("body => body.scrollHeight - body.clientHeight")
    assert hidden <= 0, f"the form is {hidden} px longer than a screen of 1366 by 768"
    await picture(author, "notice-propose")
    await author.keyboard.insert_text("云检捕〔2026〕0144 号")
    # Offered is who can act on it; a time is typed alike whatever language the browser speaks.
    await expect(author.locator(".boxes.three")).to_contain_text("柳堤派出所")
    await expect(author.locator(".boxes.three")).not_to_contain_text("湖滨旅馆")
    await author.fill("#ends_at", "+30")
    await author.fill("[id='subject.document.number']", number[:-1] + ("0" if number[-1] != "0" else "1"))
    await author.fill("[id='subject.name']", person["name"])
    await author.keyboard.press("Control+Enter")
    await expect(author.locator(".error-summary")).to_be_focused()
    assert await author.input_value("#ends_at") == "+30"
    await expect(author.locator(".bar nav .count")).to_have_count(3)
    await axe(author)
    await picture(author, "notice-refused")
    await author.fill("[id='instrument.authority']", "云汀市人民检察院")
    await author.fill("#instructions", "两名民警到场；先核对证件原件。")
    await author.keyboard.press("Control+Enter")
    await expect(author.locator("[id='subject.document.number-error']")).to_be_visible()
    assert await author.input_value("[id='instrument.number']") == "云检捕〔2026〕0144 号"
    await author.fill("[id='subject.document.number']", number)
    await author.keyboard.press("Control+Enter")
    await expect(author.locator(".detail-h")).to_contain_text("待批准")
    await axe(author)


async def test_a_notice_is_proposed_and_approved_by_two_units(as_role: Any, axe: Any, picture: Any) -> None:
    """Faults at their fields, nothing lost; the approver sees hash, content and, when asked for, the person."""
    person = People(random.randrange(10**9)).person()
    number = person["document"]["number"]
    author = await as_role("notice_author", width=1366, height=768)
    await propose(author, person, axe, picture)
    approver = await as_role("notice_approver", language="en", theme="dark")
    await approver.locator(".row-link").first.click()
    await expect(approver.locator(".hash .code")).to_have_text(await author.locator(".hash .code").inner_text())
    assert number not in await approver.content()
    await approver.get_by_role("button", name="View").click()
    await expect(approver.locator("#main")).to_contain_text(number)
    await axe(approver)
    await picture(approver, "notice-approve")
    # The text that is signed stands there whole, and its bytes give the hash beside it.
    original = await approver.locator(".canonical").inner_text()
    assert sha256(original.encode()).hexdigest() == await approver.locator(".hash .code").inner_text()
    await approver.get_by_role("button", name="Approve and sign…").click()
    await expect(approver.locator("#checks-error")).to_be_visible()
    await expect(approver.locator("#checks input").first).to_be_focused()
    await expect(approver.get_by_role("dialog")).to_have_count(0)
    await axe(approver)
    await picture(approver, "notice-unchecked")
    for box in await approver.locator("#checks input").all():
        await box.check()
    await approver.get_by_role("button", name="Approve and sign…").click()
    await expect(approver.get_by_role("dialog")).to_be_visible()
    await axe(approver)
    await approver.get_by_role("dialog").locator("[data-main]").click()
    await expect(approver.locator(".detail-h")).to_contain_text("Active")
    await axe(approver)

    await author.goto(author.url.replace("awaiting", "active"))
    # Who did what: also who looked whom it names.
    await expect(author.locator(".hist")).to_contain_text("查看了布控对象")
    await expect(author.locator(".term-ends")).to_contain_text("最长至")
    await picture(author, "notice-active")
    await author.locator("summary", has_text="撤回").click()
    await author.fill("#withdrawal-reason", "已到案")
    await author.get_by_role("button", name="撤回").last.click()
    await expect(author.locator(".detail-h")).to_contain_text("已结束")
    await picture(author, "notice-ended")


async def test_who_may_not_is_told_why(as_role: Any, axe: Any, picture: Any, city: Any) -> None:
    """An own unit's approver is refused, which the history then says; an overseer is told why no person is shown."""
    async with httpx.AsyncClient(timeout=20.0) as http:
        desks = Desks(city.data_dir, city.status()["services"])
        await desks.propose(http, People(random.randrange(10**9)).person()["document"])
    colleague = await as_role("notice_approver", unit="notice-desk-01", width=390, height=844)
    await colleague.locator(".row-link").first.click()
    await expect(colleague.locator("#main")).to_contain_text("不显示：本布控由你单位申请")
    await axe(colleague)
    await picture(colleague, "notice-not-yours-390")
    overseer = await as_role("overseer", language="en", theme="dark")
    await overseer.locator(".row-link").first.click()
    await expect(overseer.locator("#main")).to_contain_text("Not shown: an overseer reads every notice")
    await expect(overseer.locator(".canonical")).to_have_count(0)
    await axe(overseer)
    await overseer.goto(overseer.url.split("&notice=")[0] + "&notice=018f2b7a-0000-7000-8000-000000000000")
    await expect(overseer.get_by_role("alert")).to_contain_text("There is no notice at this address")
    await axe(overseer)


async def test_an_empty_list_and_a_phone(as_role: Any, axe: Any) -> None:
    """Calm and accessible there too."""
    page = await as_role("notice_author", width=390, height=844)
    await axe(page)
    await page.get_by_role("link", name="申请布控").click()
    await axe(page)
