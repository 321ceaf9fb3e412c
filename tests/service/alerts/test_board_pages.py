"""The command centre's pages: who gets which, what a step answers, what is not lost and what is not shown."""

from urllib.parse import unquote
from uuid import uuid4

import pytest

from chassis.data.db import Database
from services.alerts.use_cases.keep_place import Place, keep_place
from tests.service.alerts.callers import APPROVER, AUTHOR, NUMBER, OFFICER, OTHER, Browser, text_of
from tests.service.alerts.conftest import (
    PREMISES,
    Matcher,
    NoticeDesk,
    Registration,
    alert_rows,
    stay_event,
    token_of,
)
from tests.service.alerts.dwellings import headcount, premises, tell_headcounts, tell_premises

pytestmark = pytest.mark.postgres


@pytest.fixture
async def alert_id(db: Database, desk: NoticeDesk, matcher: Matcher) -> str:
    """A new alert at a known address."""
    async with db.transaction() as tx:
        await keep_place(tx, Place(PREMISES, "hotel", "柳堤街道湖滨路 1 号", "330199001"), (1, 1))
    await desk.activate(NUMBER)
    await matcher.read(stay_event(token_of(NUMBER)))
    return str((await alert_rows(db))[0].alert_id)


async def test_the_board_lists_what_is_open_and_names_no_person(browser: Browser, alert_id: str) -> None:
    """Kind, place, state and clock; in English too."""
    page = await browser.get("/", OFFICER)
    assert page.status_code == 200
    for words in ("布控比中（在逃人员）", "柳堤街道湖滨路 1 号", "0806 房", "待接警", "特急"):
        assert words in text_of(page)
    assert f"/api/v1/alerts/stream?after={1}" in page.text
    assert NUMBER not in page.text
    assert "陈某" not in page.text
    english = await browser.get("/", OFFICER, "en")
    assert "Notice match (Wanted)" in text_of(english)


async def test_an_empty_board_says_what_that_means(browser: Browser) -> None:
    """Calm, and no figure that is none."""
    assert "没有未办结的警情" in text_of(await browser.get("/", OFFICER))
    assert "没有符合筛选的警情" in text_of(await browser.get("/?state=closed", OFFICER))


async def test_filters_stand_in_the_address(browser: Browser, alert_id: str) -> None:
    """Each alone; what is no filter of ours does not filter."""
    filters = {
        "": True,
        "?state=new": True,
        "?state=acknowledged": False,
        "?severity=critical": True,
        "?severity=info": False,
        "?kind=missing_person": False,
        "?mine=1": False,
        "?unclaimed=1": True,
        "?mine=1&unclaimed=1": False,
        "?street=330199001": True,
        "?street=330199002": False,
        "?street=330199": True,
        "?q=湖滨路": True,
        "?q=%25": False,
        "?q=别处": False,
        "?state=nonsense&alert=nonsense": True,
    }
    for query, found in filters.items():
        page = await browser.get(f"/{query}", OFFICER)
        assert (f"row-{alert_id}" in page.text) is found, query


async def test_alerts_are_counted_by_subdistrict_and_by_who_answers(browser: Browser, alert_id: str) -> None:
    """By its name; a chosen one without alerts stays to be given up again."""
    page = text_of(await browser.get(f"/?street=330199002&alert={alert_id}", OFFICER))
    assert "柳堤街道1" in page.replace(" ", "")
    assert "青湾街道0" in page.replace(" ", "")
    assert "未认领1" in page.replace(" ", "")
    assert "区划柳堤街道" in page.replace(" ", "")
    await browser.post(f"/alerts/{alert_id}/acknowledgement", {}, OFFICER)
    page = text_of(await browser.get("/", OFFICER)).replace(" ", "")
    assert "我的1未认领0" in page


async def test_an_alert_is_found_by_its_number(browser: Browser, alert_id: str, db: Database) -> None:
    """Day and serial as they are spoken."""
    row = (await alert_rows(db))[0]
    assert f"row-{alert_id}" in (await browser.get(f"/?q={row.day:%m%d}-{row.serial:04d}", OFFICER)).text
    assert f"row-{alert_id}" not in (await browser.get(f"/?q={row.day:%m%d}-0002", OFFICER)).text


async def test_who_has_no_part_in_alerts_is_led_to_the_notice_desk(browser: Browser) -> None:
    """Authors, approvers and overseers; a clerk has no page here."""
    for who in (AUTHOR, APPROVER, ("overseer", "oversight", "周五")):
        response = await browser.get("/", who)
        assert (response.status_code, response.headers["location"]) == (303, "/notices")
    assert (await browser.get("/", ("clerk", "station-01", "李"))).status_code == 403
    assert (await browser.get("/notices", OFFICER)).status_code == 403
    assert (await browser.get("/notices/new", APPROVER)).status_code == 403


async def test_the_way_of_an_alert_by_forms(browser: Browser, alert_id: str) -> None:
    """Acknowledge, verify, close, reopen; each answer shows the next step."""
    path = f"/alerts/{alert_id}"
    at = f"?alert={alert_id}"
    assert "提交核实" in text_of(await browser.post(f"{path}/acknowledgement{at}", {}, OFFICER))
    verified = await browser.post(f"{path}/verification{at}", {"result": "true_match", "reason": "相符"}, OFFICER)
    assert "办结结果" in text_of(verified)
    closed = await browser.post(f"{path}/closure{at}", {"outcome": "handed_over", "reason": "移交"}, OFFICER)
    assert "重开" in text_of(closed)
    reopened = await browser.post(f"{path}/reopening{at}", {"reason": "再核"}, OFFICER)
    assert "张六 重开" in text_of(reopened)
    plain = await browser.post(f"{path}/notes{at}", {"text": "备注"}, OFFICER, htmx=False)
    assert (plain.status_code, plain.headers["location"]) == (303, f"/{at}")


async def test_a_refused_step_keeps_what_was_typed_and_names_the_field(browser: Browser, alert_id: str) -> None:
    """422 for the officer's own column alone: the person beside it stays."""
    path, at = f"/alerts/{alert_id}", f"?alert={alert_id}"
    await browser.post(f"{path}/acknowledgement{at}", {}, OFFICER)
    refused = await browser.post(f"{path}/verification{at}", {"reason": "写了很多"}, OFFICER)
    assert (refused.status_code, refused.headers["hx-retarget"]) == (422, "#board-mine")
    assert "写了很多" in refused.text
    assert "此项必填" in refused.text
    assert "verification-result-error" in refused.text


async def test_a_step_that_came_too_late_shows_the_present_state(browser: Browser, alert_id: str) -> None:
    """Another officer was first: 409, their name, and the form to take over."""
    path, at = f"/alerts/{alert_id}", f"?alert={alert_id}"
    await browser.post(f"{path}/acknowledgement{at}", {}, OTHER)
    late = await browser.post(f"{path}/acknowledgement{at}", {}, OFFICER)
    assert late.status_code == 409
    assert "赵七" in late.text
    assert "接替" in text_of(late)


async def test_a_form_sent_twice_is_one_step(browser: Browser, alert_id: str) -> None:
    """The same key: one note."""
    path, at, key = f"/alerts/{alert_id}/notes", f"?alert={alert_id}", str(uuid4())
    answers = [await browser.post(f"{path}{at}", {"text": "只记一次", "key": key}, OFFICER) for _time in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[1].text.count("只记一次") == 1


async def test_the_person_is_shown_as_registration_gives_them_and_the_history_says_so(
    browser: Browser, alert_id: str, registration: Registration
) -> None:
    """Asked as the officer, with the alert as the case; gone with the next page."""
    registration.body = {
        "stay_id": "s",
        "person": {
            "name": "陈某某",
            "document": {"kind": "resident_id", "number": NUMBER},
            "birth_date": "1990-01-01",
            "sex": "male",
        },
        "room": "0806",
        "kind": "hotel_guest",
    }
    at = f"?alert={alert_id}"
    shown = await browser.post(f"/alerts/{alert_id}/person{at}", {}, OFFICER)
    assert "陈某某" in shown.text
    assert NUMBER in shown.text
    (asked,) = registration.asked
    assert asked.headers["anju-purpose"] == "notice_verification"
    assert asked.headers["anju-case"] == alert_id
    assert asked.headers["authorization"].startswith("Bearer ey")
    page = await browser.get(f"/{at}", OFFICER)
    assert "陈某某" not in page.text
    assert "张六 查看在住人员信息" in text_of(page)


@pytest.mark.parametrize(("status", "expected"), [(403, 403), (404, 403), (500, 503)])
async def test_a_person_that_registration_does_not_show(
    browser: Browser, alert_id: str, registration: Registration, status: int, expected: int
) -> None:
    """A sentence, and no entry of a look that was none."""
    registration.status = status
    response = await browser.post(f"/alerts/{alert_id}/person?alert={alert_id}", {}, OFFICER)
    assert response.status_code == expected
    assert response.headers["hx-retarget"] == "#board", "the board itself is well"
    assert 'role="alert"' in response.text
    assert "查看在住人员信息" not in text_of(await browser.get(f"/?alert={alert_id}", OFFICER))


async def test_parts_of_the_board_are_served_alone(browser: Browser, alert_id: str) -> None:
    """A list with its facets, a detail, a row: what the live page asks for."""
    assert 'id="board-list"' in (await browser.get("/board/list", OFFICER)).text
    assert f'data-alert="{alert_id}"' in (await browser.get(f"/board/detail?alert={alert_id}", OFFICER)).text
    assert (await browser.get(f"/board/rows/{alert_id}", OFFICER)).text.lstrip().startswith("<li")
    assert (await browser.get(f"/board/rows/{uuid4()}", OFFICER)).status_code == 404
    refused = await browser.post(f"/alerts/{alert_id}/nonsense", {}, OFFICER)
    assert refused.status_code == 404
    assert unquote(refused.headers["anju-problem"]), "the board keeps what it shows and says the sentence"


async def test_a_rules_alert_shows_its_facts_and_no_person(db: Database, browser: Browser) -> None:
    """The rule's name and facts from the packs, its own findings, nobody to view; a filter of its own."""
    await tell_premises(db, premises(1, (("fire_exits", "imminent"),)))
    await tell_headcounts(db, headcount(1, 3))
    (row,) = await alert_rows(db)
    board = await browser.get("/?kind=unsafe_dwelling", OFFICER)
    for words in ("人住危房", "登记 3 人", "1 项紧迫危险", "柳堤街道湖滨路 1 号"):
        assert words in text_of(board)
    other = await browser.get("/?kind=overcrowded", OFFICER)
    assert "登记 3 人" not in text_of(other)
    await browser.post(f"/alerts/{row.alert_id}/acknowledgement", {}, OFFICER)
    page = await browser.get(f"/?alert={row.alert_id}", OFFICER)
    for words in ("安全出口", "消防法第五十四条", "属实", "规则条件成立"):
        assert words in text_of(page)
    assert 'id="resident"' not in page.text
    assert 'value="true_match"' not in page.text
    await tell_premises(db, premises(2))
    page = await browser.get(f"/?alert={row.alert_id}", OFFICER)
    assert "已消除；如再次出现" in text_of(page)
    assert "Unsafe dwelling" in text_of(await browser.get("/?state=cleared", OFFICER, "en"))


async def test_a_crowded_home_is_shown_by_how_many_and_how_many_may(db: Database, browser: Browser) -> None:
    """Its facts are others than those of a dangerous home."""
    await tell_premises(db, premises(1))
    await tell_headcounts(db, headcount(1, 999))
    assert "登记 999 人" in text_of(await browser.get("/", OFFICER))
    (row,) = await alert_rows(db)
    page = await browser.get(f"/?alert={row.alert_id}", OFFICER)
    for words in ("超员居住", "999", "商品房屋租赁管理办法第八条", "这个地址的未办结警情"):
        assert words in text_of(page)


async def test_a_long_list_has_pages(
    browser: Browser, alert_id: str, monkeypatch: pytest.MonkeyPatch, db: Database
) -> None:
    """One row a page here: which rows, of how many, and the way on; a filter begins at the first page again."""
    monkeypatch.setattr("services.alerts.web.shared.ROWS", 1)
    await tell_premises(db, premises(1))
    await tell_headcounts(db, headcount(1, 999))
    first = await browser.get("/", OFFICER)
    assert "第 1 至 1 条，共 2 条" in text_of(first)
    assert 'href="/?start=1"' in first.text
    assert "布控比中" in text_of(first)
    second = await browser.get("/?start=1", OFFICER)
    assert "第 2 至 2 条，共 2 条" in text_of(second)
    assert "下一页" not in text_of(second)
    assert f"row-{alert_id}" not in second.text
    assert 'href="/?state=new"' in second.text, "another list begins at its first row"
    assert "列表已变短" in text_of(await browser.get("/?start=5", OFFICER))
    for nonsense in ("-1", "x", "9999999999", "１"):
        assert f"row-{alert_id}" in (await browser.get(f"/?start={nonsense}", OFFICER)).text


async def test_an_alert_is_a_sheet_on_a_phone_until_all_of_it_is_wanted(browser: Browser, alert_id: str) -> None:
    """The address says so; opening another begins with the sheet again."""
    sheet = await browser.get(f"/?alert={alert_id}", OFFICER)
    assert "has-detail as-sheet" in sheet.text
    assert f"/?alert={alert_id}&amp;whole=1#premises" in sheet.text
    whole = await browser.get(f"/?alert={alert_id}&whole=1", OFFICER)
    assert "as-sheet" not in whole.text
    assert f'href="/?alert={alert_id}"' in whole.text
