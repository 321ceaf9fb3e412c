"""The pages without a browser: who gets which, what a step answers, what is not lost and what is not shown."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries
from chassis.run.service import WebParts
from services.alerts.domain.contents import Instrument, NoticeKind
from services.alerts.use_cases.keep_place import Place, keep_place
from services.alerts.use_cases.keep_unit import Unit, keep_unit
from tests.provider import TokenProvider
from tests.service.alerts.conftest import (
    ORIGIN,
    PREMISES,
    Matcher,
    NoticeDesk,
    Registration,
    alert_rows,
    now,
    stay_event,
    token_of,
)

pytestmark = pytest.mark.postgres

OFFICER = ("duty_officer", "command-centre", "张六")
OTHER = ("duty_officer", "command-centre", "赵七")
AUTHOR = ("notice_author", "notice-desk-01", "赵一")
APPROVER = ("notice_approver", "notice-desk-02", "孙三")
NUMBER = "330199199001010015"


@dataclass
class Browser:
    """Asks for pages as somebody, in Chinese unless said otherwise."""

    http: httpx.AsyncClient
    provider: TokenProvider

    async def get(self, path: str, who: tuple[str, str, str], language: str = "zh-CN") -> httpx.Response:
        """Open a page."""
        headers = self.provider.headers(*who) | {"accept": "text/html", "accept-language": language}
        return await self.http.get(path, headers=headers)

    async def post(
        self, path: str, form: dict[str, str], who: tuple[str, str, str], *, htmx: bool = True
    ) -> httpx.Response:
        """Send a form."""
        headers = self.provider.headers(*who) | {"accept": "text/html", "accept-language": "zh-CN"}
        return await self.http.post(
            path, data={"key": str(uuid4())} | form, headers=headers | ({"hx-request": "true"} if htmx else {})
        )


@pytest.fixture
async def browser(web: WebParts) -> AsyncIterator[Browser]:
    """A browser."""
    provider = TokenProvider()
    provider.serve(web)
    transport = httpx.ASGITransport(app=web.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Browser(http, provider)


@pytest.fixture
async def units(db: Database) -> None:
    """The units that a proposal may go to."""
    async with db.transaction() as tx:
        await keep_unit(tx, Unit("command-centre", "指挥中心", "Command centre", "command_centre", ()), (1, 1))


@pytest.fixture
async def alert_id(db: Database, desk: NoticeDesk, matcher: Matcher) -> str:
    """A new alert at a known address."""
    async with db.transaction() as tx:
        await keep_place(tx, Place(PREMISES, "hotel", "柳堤街道湖滨路 1 号", "330199001"), (1, 1))
    await desk.activate(NUMBER)
    await matcher.read(stay_event(token_of(NUMBER)))
    return str((await alert_rows(db))[0].alert_id)


def text_of(response: httpx.Response) -> str:
    """The page's words, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))


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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("?state=new", True),
        ("?state=acknowledged", False),
        ("?severity=critical", True),
        ("?severity=info", False),
        ("?kind=missing_person", False),
        ("?mine=1", False),
        ("?q=湖滨路", True),
        ("?q=%25", False),
        ("?q=别处", False),
        ("?state=nonsense&alert=nonsense", True),
    ],
)
async def test_filters_stand_in_the_address(browser: Browser, alert_id: str, query: str, found: bool) -> None:
    """Each alone; what is no filter of ours does not filter."""
    page = await browser.get(f"/{query}", OFFICER)
    assert (f"row-{alert_id}" in page.text) is found


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
    for _time in range(2):
        response = await browser.post(f"{path}{at}", {"text": "只记一次", "key": key}, OFFICER)
        assert response.status_code == 200
    assert response.text.count("只记一次") == 1


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
    assert 'role="alert"' in response.text
    assert "查看在住人员信息" not in text_of(await browser.get(f"/?alert={alert_id}", OFFICER))


async def test_parts_of_the_board_are_served_alone(browser: Browser, alert_id: str) -> None:
    """A list with its facets, a detail, a row: what the live page asks for."""
    assert 'id="board-list"' in (await browser.get("/board/list", OFFICER)).text
    assert f'data-alert="{alert_id}"' in (await browser.get(f"/board/detail?alert={alert_id}", OFFICER)).text
    assert (await browser.get(f"/board/rows/{alert_id}", OFFICER)).text.lstrip().startswith("<li")
    assert (await browser.get(f"/board/rows/{uuid4()}", OFFICER)).status_code == 404
    assert (await browser.post(f"/alerts/{alert_id}/nonsense", {}, OFFICER)).status_code == 404


def proposal(**changes: str) -> dict[str, str]:
    """A form as the page sends it."""
    end = now() + timedelta(days=30)
    made = {
        "kind": "wanted",
        "instrument.kind": "arrest_approval",
        "instrument.number": "云检捕〔2026〕0144 号",
        "instrument.authority": "云汀市人民检察院",
        "subject.document.kind": "resident_id",
        "subject.document.number": NUMBER,
        "subject.name": "陈某",
        "starts_at": "",
        "ends_at": f"{end:%Y-%m-%dT%H:%M}",
        "recipients.command-centre": "on",
        "instructions": "两名民警到场。",
    }
    return made | changes


async def test_a_proposal_by_its_form_is_approved_by_its_form(browser: Browser, units: None) -> None:
    """From the empty form to an active notice, with the whole content beside its hash."""
    assert (await browser.get("/notices/new", AUTHOR)).status_code == 200
    proposed = await browser.post("/notices/new", proposal(), AUTHOR, htmx=False)
    assert proposed.status_code == 303, text_of(proposed)
    page = await browser.get(proposed.headers["location"], APPROVER)
    content_hash = re.search(r'name="content_hash" value="([0-9a-f]{64})"', page.text)
    notice_id = re.search(r"/notices/([0-9a-f-]{36})/approval", page.text)
    assert content_hash
    assert notice_id
    assert page.text.count(content_hash[1]) >= 3
    assert NUMBER not in page.text
    approved = await browser.post(
        f"/notices/{notice_id[1]}/approval", {"content_hash": content_hash[1]}, APPROVER, htmx=False
    )
    assert approved.status_code == 303
    assert "已生效" in text_of(await browser.get(approved.headers["location"], APPROVER))


async def test_a_refused_proposal_loses_nothing(browser: Browser, units: None, registration: Registration) -> None:
    """Summary and message at the field; then registration down; what was typed stands there still."""
    refused = await browser.post(
        "/notices/new", proposal(ends_at="2000-01-01T00:00", instructions=""), AUTHOR, htmx=False
    )
    assert refused.status_code == 422
    for kept in ("云检捕〔2026〕0144 号", NUMBER, "陈某", 'id="instructions-error"'):
        assert kept in refused.text
    late = await browser.post("/notices/new", proposal(ends_at="2000-01-01T00:00"), AUTHOR, htmx=False)
    assert 'id="ends_at-error"' in late.text
    registration.down = True
    down = await browser.post("/notices/new", proposal(), AUTHOR, htmx=False)
    assert down.status_code == 503
    assert NUMBER in down.text
    assert "连不上登记服务" in text_of(down)


async def test_the_subject_of_a_notice_takes_a_press_and_is_logged(
    browser: Browser, desk: NoticeDesk, db: Database
) -> None:
    """The author's unit and who may decide; an author elsewhere gets 403."""
    notice = await desk.propose(NUMBER)
    path = f"/notices/{notice.notice_id}/subject"
    shown = await browser.post(path, {}, APPROVER, htmx=False)
    assert NUMBER in shown.text
    assert "与上面的内容一致" in text_of(shown)
    elsewhere = await browser.post(path, {}, ("notice_author", "notice-desk-02", "吴六"), htmx=False)
    assert (elsewhere.status_code, NUMBER in elsewhere.text) == (403, False)
    async with db.read() as tx:
        rows = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "notice.subject-read"))
    assert [(row.actor_unit, row.case) for row in rows] == [("notice-desk-02", str(notice.notice_id))]


async def test_who_may_not_approve_sees_why(browser: Browser, desk: NoticeDesk) -> None:
    """An approver of the author's unit: no button, and a refusal all the same."""
    notice = await desk.propose(NUMBER)
    own = ("notice_approver", "notice-desk-01", "郑七")
    page = await browser.get(f"/notices?notice={notice.notice_id}", own)
    assert "须其他单位批准" in text_of(page)
    assert "data-opens" not in page.text
    form = {"content_hash": notice.latest.content.hash()}
    refused = await browser.post(f"/notices/{notice.notice_id}/approval", form, own, htmx=False)
    assert refused.status_code == 403
    assert (await browser.post(f"/notices/{notice.notice_id}/approval", form, AUTHOR)).status_code == 403


async def test_withdraw_renew_suspend_lift_by_forms(browser: Browser, desk: NoticeDesk) -> None:
    """Each with its reason or its end."""
    overseer = ("overseer", "oversight", "周五")
    notice = await desk.activate(NUMBER)
    path = f"/notices/{notice.notice_id}"
    for step, who, form in (
        ("suspension", overseer, {"reason": "误报"}),
        ("lifting", overseer, {"reason": "已复核"}),
        ("renewal", AUTHOR, {"ends_at": f"{now() + timedelta(days=60):%Y-%m-%dT%H:%M}"}),
        ("withdrawal", AUTHOR, {"reason": "已到案", "why": "carried_out"}),
    ):
        done = await browser.post(f"{path}/{step}", form, who, htmx=False)
        assert done.status_code == 303, (step, text_of(done))
    ended = await browser.post(f"{path}/withdrawal", {"reason": "再撤"}, AUTHOR, htmx=False)
    assert ended.status_code == 409
    assert "本布控已结束" in text_of(ended)
    empty = await browser.post(f"{path}/suspension", {"reason": " "}, overseer, htmx=False)
    assert empty.status_code == 422


async def test_an_author_sees_the_own_units_notices_alone(browser: Browser, desk: NoticeDesk) -> None:
    """Lists and counts."""
    await desk.propose(NUMBER, kind=NoticeKind.MISSING_PERSON, instrument=Instrument("missing_report", "1", "派出所"))
    assert "走失人员" in text_of(await browser.get("/notices", AUTHOR))
    elsewhere: Any = await browser.get("/notices", ("notice_author", "notice-desk-02", "吴六"))
    assert "没有待批准的布控" in text_of(elsewhere)
