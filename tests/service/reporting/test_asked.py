"""Which days may be asked for: from the first day that has rules to today, of the API and of the pages."""

from datetime import date, timedelta

import httpx
import pytest

from chassis.run.service import WebParts
from tests.service.reporting.conftest import Reporting
from tests.service.reporting.test_page import browser, parts
from tests.service.travel import PACKS

__all__ = ["parts"]

pytestmark = pytest.mark.postgres

FIRST = PACKS.begins("330199")
TOO_EARLY = (FIRST - timedelta(days=1), date.min, date.min + timedelta(days=20))
API = {"occupancy": "on", "alert-counts": "to", "housing-counts": "to"}
PAGES = {"": "on", "alerts": "to", "housing": "to", "occupancy.csv": "on", "alert-counts.xlsx": "to"}


@pytest.mark.parametrize("day", TOO_EARLY)
@pytest.mark.parametrize("call", API)
async def test_the_api_refuses_days_before_the_first_rules(reporting: Reporting, call: str, day: date) -> None:
    answer = await reporting.get(f"/api/v1/{call}?{API[call]}={day}")
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{API[call]}", "too-early")


@pytest.mark.parametrize("day", TOO_EARLY)
@pytest.mark.parametrize("path", PAGES)
async def test_the_pages_say_so_beside_the_field(parts: WebParts, path: str, day: date) -> None:
    async with browser(parts, "manager") as page:
        shown = await page.get(f"/{path}?{PAGES[path]}={day}")
    assert shown.status_code == 422, shown.text
    if "." not in path:
        assert shown.text.count("没有这么久以前的数据。") == 2


async def test_the_first_day_is_answered(reporting: Reporting, parts: WebParts) -> None:
    for call, name in API.items():
        answer: httpx.Response = await reporting.get(f"/api/v1/{call}?{name}={FIRST}")
        assert answer.status_code == 200, answer.text
    async with browser(parts, "manager") as page:
        for path, name in PAGES.items():
            shown = await page.get(f"/{path}?{name}={FIRST}")
            assert shown.status_code == 200, shown.text
