"""The handover page in a browser: offered with a word, taken back, and taken over from another officer."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.arrivals import Arrivals
from tests.browser.test_command_centre import open_alert
from tests.system.desks import Desks

pytestmark = [pytest.mark.browser, pytest.mark.system]


async def test_a_shift_is_offered_and_taken_back_with_the_keyboard(
    as_role: Any, axe: Any, picture: Any, arrivals: Arrivals
) -> None:
    """Without a word it is refused beside its field; offered, the page says that nobody has taken it."""
    alert = await arrivals.wanted()
    page = await as_role("duty_officer")
    await open_alert(page, alert)
    await page.keyboard.press("a")
    await expect(page.locator("#verification-result")).to_be_visible()
    await page.get_by_role("link", name="交接班").click()
    await expect(page.locator(f'a[href="/?alert={alert["alert_id"]}"]')).to_be_visible()
    await axe(page)
    await page.locator("#text").press("Control+Enter")
    await expect(page.locator("#text-error")).to_be_visible()
    await axe(page)
    await page.fill("#text", "湖滨旅馆等派出所回执。")
    await page.locator("#text").press("Control+Enter")
    await expect(page.get_by_text("待接班。")).to_be_visible()
    await axe(page)
    await picture(page, "handover-offered")
    await page.get_by_role("button", name="撤回").click()
    await expect(page.locator("#text")).to_be_visible()


async def test_an_offered_shift_is_taken_over(
    as_role: Any, axe: Any, picture: Any, city: Any, arrivals: Arrivals
) -> None:
    """The next officer reads the word and the alerts, takes all, and stands before them on the board."""
    alert = await arrivals.wanted()
    desks = Desks(city.data_dir, city.status()["services"])
    base, before = desks.services["alerts"], desks.headers("duty_officer", "command-centre", "李夜")
    async with httpx.AsyncClient(base_url=base, headers=before) as night:
        step = f"/api/v1/alerts/{alert['alert_id']}/acknowledgement"
        assert (await night.post(step, json={}, headers={"idempotency-key": str(uuid4())})).status_code == 200
        offered = await night.post("/handover", data={"text": "走失老人的家属 8 点再来。", "key": str(uuid4())})
        assert offered.status_code == 303, offered.text
    page = await as_role("duty_officer", language="en", theme="dark", width=1366, height=768)
    await page.get_by_role("link", name="Shift handover 1").click()
    offer = page.locator(".offer", has_text="李夜")
    await expect(offer).to_contain_text("走失老人的家属 8 点再来。")
    await axe(page)
    await picture(page, "handover")
    await offer.get_by_role("button", name="Take over").click()
    await expect(page.locator(f"#row-{alert['alert_id']}")).to_contain_text("(me)")
    await page.get_by_role("link", name="Shift handover").click()
    await expect(page.locator("#taken-h + *, .hist").last).to_contain_text("李夜 to")
    await page.set_viewport_size({"width": 390, "height": 844})
    await axe(page)
