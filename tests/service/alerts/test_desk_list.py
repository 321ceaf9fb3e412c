"""The notice desk's list tells notices of one kind and one unit apart."""

import re

import pytest

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
