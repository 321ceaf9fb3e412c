"""The notice desk's pages: forms that propose and decide, and what they lose or show."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries
from services.alerts.domain.contents import Instrument, NoticeKind
from services.alerts.use_cases.keep_unit import Unit, keep_unit
from services.alerts.web.approval_checks import CHECKS
from tests.service.alerts.callers import APPROVER, AUTHOR, NUMBER, Browser, text_of
from tests.service.alerts.conftest import (
    NoticeDesk,
    Registration,
    now,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
async def units(db: Database) -> None:
    """The units that a proposal may go to."""
    async with db.transaction() as tx:
        await keep_unit(tx, Unit("command-centre", "指挥中心", "Command centre", "command_centre", ()), (1, 1))
        await keep_unit(tx, Unit("hotel-01", "湖滨旅馆", "Hubin hotel", "operator", ()), (1, 2))


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
    empty = await browser.get("/notices/new", AUTHOR)
    assert empty.status_code == 200
    assert "recipients.command-centre" in empty.text
    assert "recipients.hotel-01" not in empty.text  # nobody there could act on it
    proposed = await browser.post("/notices/new", proposal(), AUTHOR, htmx=False)
    assert proposed.status_code == 303, text_of(proposed)
    page = await browser.get(proposed.headers["location"], APPROVER)
    content_hash = re.search(r'name="content_hash" value="([0-9a-f]{64})"', page.text)
    notice_id = re.search(r"/notices/([0-9a-f-]{36})/approval", page.text)
    assert content_hash
    assert notice_id
    assert page.text.count(content_hash[1]) >= 3
    assert NUMBER not in page.text
    path, form = f"/notices/{notice_id[1]}/approval", {"content_hash": content_hash[1]}
    ticked = {f"checked.{name}": "on" for name in CHECKS}
    nothing: dict[str, str] = {}
    for some in (nothing, ticked | {"checked.shielded": ""}):
        unchecked = await browser.post(path, form | some, APPROVER, htmx=False)
        assert unchecked.status_code == 422
        assert "不能打勾的，不予签名" in text_of(unchecked)
        # What was ticked stays ticked.
        assert unchecked.text.count(" checked><span>") == len([each for each in some.values() if each])
        assert "待批准" in text_of(await browser.get(f"/notices?notice={notice_id[1]}", APPROVER))
    approved = await browser.post(path, form | ticked, APPROVER, htmx=False)
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
    for impossible in ("0001-01-01T00:00", "9999-12-31T23:59", "gestern "):
        again = await browser.post("/notices/new", proposal(starts_at=impossible), AUTHOR, htmx=False)
        assert again.status_code == 422
        assert f'value="{impossible}"' in again.text
        assert 'id="starts_at-error"' in again.text
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
    await browser.post(f"/notices/{notice.notice_id}/subject", {}, APPROVER, htmx=False)
    history = text_of(await browser.get(f"/notices?notice={notice.notice_id}", APPROVER))
    assert "一名审批人试图批准，被拒绝" in history
    assert "一名人员查看了布控对象" in history
    assert "郑七" not in history  # the audit holds pseudonyms


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
