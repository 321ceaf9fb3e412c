"""The notice desk's list tells notices of one kind and one unit apart."""

import re

import pytest

from services.alerts.web import desk
from tests.service.alerts.callers import APPROVER, AUTHOR, Api, Browser
from tests.service.alerts.test_requests import proposal

pytestmark = pytest.mark.postgres


async def test_each_row_names_its_instrument(browser: Browser) -> None:
    """An approver finds the paper that lies on the desk."""
    api = Api(browser.http, browser.provider)
    instrument = {"kind": "arrest_approval", "authority": "云汀市人民检察院"}
    for number in ("云检捕〔2026〕0144 号", "云检捕〔2026〕0145 号"):
        made = await api.post("/notices", proposal() | {"instrument": instrument | {"number": number}}, *AUTHOR)
        assert made.status_code == 201, made.text
    page = (await browser.get("/notices", APPROVER)).text
    rows = re.findall(r'<a class="row-link".*?</a>', page, re.DOTALL)
    assert [re.search(r"014[45]", row)[0] for row in rows] == ["0145", "0144"]  # type: ignore[index]


async def test_a_long_list_goes_on_behind_older(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each notice stands on one part of the list, and a word that is no cursor begins at the newest."""
    monkeypatch.setattr(desk, "ROWS", 2)
    api = Api(browser.http, browser.provider)
    for number in range(5):
        instrument = {"kind": "arrest_approval", "authority": "云汀市人民检察院", "number": f"第 90{number} 号"}
        made = await api.post("/notices", proposal() | {"instrument": instrument}, *AUTHOR)
        assert made.status_code == 201, made.text
    path, seen = "/notices?show=awaiting", []
    for _part in range(3):
        page = (await browser.get(path, APPROVER)).text
        seen.append(re.findall(r"第 90(\d) 号", page))
        older = re.search(r'href="(/notices[^"]*before=[^"]*)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [["4", "3"], ["2", "1"], ["0"]]
    assert path == ""
    assert "第 904 号" in (await browser.get("/notices?before=nonsense", APPROVER)).text


async def test_a_notice_that_is_not_there_is_said_to_be_missing(browser: Browser) -> None:
    page = await browser.get("/notices?notice=018f2b7a-0000-7000-8000-000000000000", APPROVER)
    assert page.status_code == 200
    assert "这个地址没有布控" in page.text
