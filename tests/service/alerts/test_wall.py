"""The wall: what waits first, places no finer than a community, figures of the day, divisions."""

import json
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from services.alerts.storage.tables import alert_changes, alerts
from services.alerts.use_cases.read_divisions import read_divisions
from services.alerts.use_cases.read_pace import read_pace
from tests.service.alerts.callers import APPROVER, NUMBER, OFFICER, Browser, text_of
from tests.service.alerts.conftest import Matcher, NoticeDesk, alert_rows, stay_event, token_of
from tests.service.alerts.dwellings import premises, tell_premises

pytestmark = pytest.mark.postgres

ADDRESS = "柳堤街道湖滨社区湖滨路 1 号"


@pytest.fixture
async def alert_id(db: Database, desk: NoticeDesk, matcher: Matcher) -> UUID:
    """A new alert at a known address."""
    await tell_premises(db, premises(1, address=ADDRESS))
    await desk.activate(NUMBER)
    await matcher.read(stay_event(token_of(NUMBER)))
    found: UUID = (await alert_rows(db))[0].alert_id
    return found


async def test_an_empty_wall_is_calm(browser: Browser) -> None:
    page = await browser.get("/wall", OFFICER)
    assert "没有待接警" in text_of(page)
    assert "没有未办结的警情" in text_of(page)
    assert 'data-bs-theme="dark"' in page.text


async def test_what_waits_first_is_biggest_and_no_place_is_finer_than_a_community(
    browser: Browser, alert_id: UUID
) -> None:
    page = await browser.get("/wall", OFFICER)
    assert "特急：布控比中（在逃人员），无人接警" in text_of(page)
    assert "柳堤街道湖滨社区" in text_of(page)
    for secret in ("湖滨路", "1 号", "0806", NUMBER):
        assert secret not in text_of(page), secret
    await browser.post(f"/alerts/{alert_id}/acknowledgement", {}, OFFICER)
    page = await browser.get("/wall/now", OFFICER)
    assert "没有待接警" in text_of(page)
    assert "张六" in text_of(page), "the owner is named"
    assert "<html" not in page.text


async def test_a_place_without_a_standard_address_is_named_by_its_code(
    browser: Browser, alert_id: UUID, db: Database
) -> None:
    """No unit of this test's city is responsible there."""
    await tell_premises(db, premises(2, address="湖滨路 1 号"))
    assert "330199001" in text_of(await browser.get("/wall", OFFICER))


async def test_only_duty_officers_see_a_wall(browser: Browser) -> None:
    assert (await browser.get("/wall", APPROVER)).status_code == 403
    assert (await browser.get("/wall/now", APPROVER)).status_code == 403


async def test_the_pace_of_a_day_counts_from_the_raising_or_the_latest_reopening(
    browser: Browser, alert_id: UUID, db: Database
) -> None:
    """Taken on after 60 s, taken over later (which is no acknowledgement), closed, reopened, taken on after 20 s."""
    path = f"/alerts/{alert_id}"
    other = ("duty_officer", "command-centre", "赵七")
    await browser.post(f"{path}/acknowledgement", {}, OFFICER)
    await browser.post(f"{path}/acknowledgement", {"reason": "换班"}, other)
    await browser.post(f"{path}/verification", {"result": "test", "reason": "演练"}, other)
    await browser.post(f"{path}/closure", {"outcome": "test", "reason": "演练"}, other)
    await browser.post(f"{path}/reopening", {"reason": "再核"}, other)
    await browser.post(f"{path}/acknowledgement", {}, OFFICER)
    async with db.transaction() as tx:
        raised = await tx.scalar(sa.select(alerts.c.raised_at))
        positions = [row[0] for row in await tx.all(sa.select(alert_changes.c.position).order_by("position"))]
        for position, seconds in zip(positions[1:], (60, 300, 400, 500, 600, 620), strict=True):
            at = raised + timedelta(seconds=seconds)
            await tx.execute(sa.update(alert_changes).where(alert_changes.c.position == position).values(at=at))
        pace = await read_pace(tx)
    assert (pace.raised, pace.closed) == (1, 1)
    assert pace.acknowledge is not None
    assert pace.acknowledge.median == timedelta(seconds=40)
    assert pace.acknowledge.p90 == timedelta(seconds=56)
    assert pace.close is not None
    assert pace.close.median == timedelta(seconds=500)


async def test_a_division_is_an_octagon_around_its_premises(db: Database) -> None:
    """The corners of the box are cut off where no premises are; none of them lies outside."""
    spots = [(30.0, 120.05), (30.1, 120.05), (30.05, 120.0), (30.05, 120.1)]
    told = [
        premises(1, premises_id=uuid4(), address=ADDRESS, latitude=latitude, longitude=longitude)
        for latitude, longitude in spots
    ]
    nowhere = premises(1, premises_id=uuid4(), division_code="330199002", latitude=None, longitude=None)
    await tell_premises(db, *told, nowhere)
    async with db.read() as tx:
        (division,) = await read_divisions(tx)
    assert (division.code, division.address) == ("330199001", ADDRESS)
    assert {(round(lat, 6), round(lon, 6)) for lat, lon in division.corners} == set(spots)


async def test_wall_and_board_show_how_soon_alerts_are_taken_on(browser: Browser, alert_id: UUID) -> None:
    await browser.post(f"/alerts/{alert_id}/acknowledgement", {}, OFFICER)
    for path in ("/", "/wall"):
        assert re.search(r"接警用时 中位 / P90 0:\d\d / 0:\d\d", text_of(await browser.get(path, OFFICER))), path


async def test_the_walls_words_are_not_those_of_the_keys(browser: Browser) -> None:
    """One catalogue's text stands before another's of the same English: Enter opens, it does not count."""
    page = await browser.get("/", OFFICER)
    assert f'"open_row": {json.dumps("打开")}' in page.text
