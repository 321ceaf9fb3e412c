"""What stands beside an alert about its premises: housing's facts, and a drawing of what lies around."""

from uuid import UUID, uuid4

import pytest

from chassis.data.db import Database
from services.alerts.domain.alerts import Severity
from services.alerts.use_cases.queries import Box, neighbours_of
from tests.service.alerts.callers import NUMBER, OFFICER, Browser, text_of
from tests.service.alerts.conftest import PREMISES, Matcher, NoticeDesk, alert_rows, stay_event, token_of
from tests.service.alerts.dwellings import headcount, premises, tell_headcounts, tell_premises

pytestmark = pytest.mark.postgres


@pytest.fixture
async def alert_id(db: Database, desk: NoticeDesk, matcher: Matcher) -> UUID:
    """An alert about a person at premises of which housing has told everything."""
    told = premises(1, (("smoke_alarms", "serious"),), address="柳堤街道湖滨社区湖滨路 1 号", kind="hotel", capacity=64)
    await tell_premises(db, told)
    await tell_headcounts(db, headcount(1, 41))
    await desk.activate(NUMBER)
    await matcher.read(stay_event(token_of(NUMBER)))
    found: UUID = (await alert_rows(db))[-1].alert_id
    return found


async def test_an_alert_about_a_person_shows_the_premises_but_not_how_many_live_there(
    browser: Browser, alert_id: UUID
) -> None:
    page = await browser.get(f"/?alert={alert_id}", OFFICER)
    for words in ("核定 64 人", "重大隐患", "火灾探测报警器", "湖滨路 1 号", "图中没有其他未办结警情"):
        assert words in text_of(page), words
    assert "41 人" not in text_of(page)
    assert 'class="place-map"' in page.text


async def test_what_is_open_around_is_on_the_map_and_in_words(browser: Browser, alert_id: UUID, db: Database) -> None:
    """A crowded home 200 m away; another far away is on no map."""
    near, far = uuid4(), uuid4()
    for each, latitude in ((near, 30.2518), (far, 30.35)):
        await tell_premises(db, premises(1, premises_id=each, latitude=latitude, longitude=120.15))
        await tell_headcounts(db, headcount(1, 9, premises_id=each))
    page = await browser.get(f"/?alert={alert_id}", OFFICER)
    assert "图中其他住所另有 1 条未办结警情" in text_of(page)
    async with db.read() as tx:
        (found,) = await neighbours_of(tx, PREMISES, Box(30.24, 30.26, 120.14, 120.16))
    assert (found.premises_id, found.worst, found.alerts) == (near, Severity.NORMAL, 1)


async def test_premises_without_a_point_have_a_sentence_in_place_of_a_map(
    browser: Browser, alert_id: UUID, db: Database
) -> None:
    await tell_premises(db, premises(2, latitude=None, longitude=None, status="closed"))
    page = await browser.get(f"/?alert={alert_id}", OFFICER)
    assert 'class="place-map"' not in page.text
    assert "没有登记坐标" in text_of(page)
    assert "已关停" in text_of(page)
