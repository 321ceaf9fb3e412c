"""The reference of departments' topics: a document for machines, a page in both languages, for whoever asks."""

import pytest

from contracts import asyncapi, envelope
from tests.service.alerts.callers import Browser, text_of

pytestmark = pytest.mark.postgres


async def test_the_document_is_there_for_everybody(browser: Browser) -> None:
    """A contract, which names no address, no password and nobody."""
    answer = await browser.http.get("/asyncapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == asyncapi.document("alerts")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ("面向部门的事件", "有人居住且存在紧迫危险的房屋", "消息保存30日", "这里尚未发布任何事件")),
        ("en", ("Events for departments", "people inside", "30 days in the topic", "Nothing is published here yet")),
    ],
)
async def test_the_page_says_what_the_document_says(browser: Browser, language: str, words: tuple[str, ...]) -> None:
    """Topics, types, fields with purpose and term, headers, examples; nobody needs to log in."""
    answer = await browser.http.get("/asyncapi", headers={"accept": "text/html", "accept-language": language})
    assert answer.status_code == 200
    shown = text_of(answer)
    for word in (
        *words,
        "alerts.department.fire",
        "alerts.department.child-protection",
        envelope.IMMINENT_HAZARD_OCCUPIED_CLEARED,
        "hazards[].severity",
        "minor | serious | imminent",
        "ce_sequence",
        "SCRAM-SHA-512",
        "示范市一区安居路12号3单元",
    ):
        assert word in shown, word
    assert "<form" not in answer.text.split("<main", 1)[1]


async def test_the_api_reference_leads_there(browser: Browser) -> None:
    """Of a service that tells departments."""
    assert 'href="/asyncapi"' in (await browser.http.get("/docs")).text


async def test_the_api_reference_says_what_a_field_may_hold(browser: Browser) -> None:
    """Of a list what it is of; and what a docstring has between backticks is code."""
    page = (await browser.http.get("/docs")).text
    shown = text_of(await browser.http.get("/docs"))
    assert "(new | acknowledged" in shown
    assert "string[]" in shown
    assert "array" not in shown.split()
    assert "`" not in shown
    assert "<code>Last-Event-ID</code>" in page
