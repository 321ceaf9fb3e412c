"""Boards that show the same share what was read and rendered; nobody gets another one's own, or an old list."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.run.service import WebParts
from services.alerts.web import shared
from tests.service.alerts.callers import OFFICER, OTHER, Browser, text_of
from tests.service.alerts.conftest import Matcher, NoticeDesk, alert_rows, stay_event, token_of

pytestmark = pytest.mark.postgres


@contextmanager
def statements_of(web: WebParts) -> Iterator[list[str]]:
    """What the web process asks its database while the block runs."""
    assert web.db is not None
    asked: list[str] = []
    engine = web.db.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shared stays so for the whole test."""
    monkeypatch.setattr(shared, "KEPT_SECONDS", 60.0)


async def test_a_list_is_read_once_for_all_boards_that_saw_the_same(
    browser: Browser, web: WebParts, desk: NoticeDesk, matcher: Matcher, db: Database
) -> None:
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    with statements_of(web) as asked:
        first = await browser.get("/board/list?seen=1", OFFICER)
        assert asked
        asked.clear()
        second = await browser.get("/board/list?seen=1", OTHER)
        assert not asked
    (row,) = await alert_rows(db)
    assert f"row-{row.alert_id}" in first.text
    assert second.text == first.text


async def test_who_was_told_of_something_newer_gets_it(browser: Browser, desk: NoticeDesk, matcher: Matcher) -> None:
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    assert 'data-position="1"' in (await browser.get("/board/list?seen=1", OFFICER)).text
    await matcher.read(stay_event(token_of("1")))
    newer = await browser.get("/board/list?seen=2", OTHER)
    assert 'data-position="2"' in newer.text
    assert newer.text.count('<li id="row-') == 2
    # Without a word about what was seen the list is what it is now.
    await matcher.read(stay_event(token_of("1")))
    assert 'data-position="3"' in (await browser.get("/board/list", OFFICER)).text


async def test_another_filter_is_another_list(browser: Browser, desk: NoticeDesk, matcher: Matcher) -> None:
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    assert '<li id="row-' in (await browser.get("/board/list?seen=1", OFFICER)).text
    assert '<li id="row-' not in (await browser.get("/board/list?severity=info&seen=1", OFFICER)).text
    assert '<li id="row-' not in (await browser.get("/board/list?mine=1&seen=1", OFFICER)).text
    filtered = await browser.get("/board/list?severity=critical&seen=1", OFFICER)
    assert 'href="/?severity=critical&amp;alert=' in filtered.text


async def test_what_is_ones_own_is_not_shared(
    browser: Browser, desk: NoticeDesk, matcher: Matcher, db: Database
) -> None:
    """Who answers for an alert, how many are one's own, the language."""
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    (row,) = await alert_rows(db)
    await browser.post(f"/alerts/{row.alert_id}/acknowledgement", {}, OFFICER)
    mine = await browser.get("/board/list?seen=2", OFFICER)
    others = await browser.get("/board/list?seen=2", OTHER)
    assert "张六（我）" in text_of(mine)
    assert "张六" in text_of(others)
    assert "张六（我）" not in text_of(others)
    assert "我的 1" in text_of(mine)
    assert "我的 0" in text_of(others)
    assert "Acknowledged" in text_of(await browser.get("/board/list?seen=2", OTHER, "en"))


def test_what_is_kept_does_not_grow() -> None:
    kept: shared.Kept[int, int] = shared.Kept(3)
    for number in range(10):
        kept[number] = number
    assert list(kept) == [7, 8, 9]
