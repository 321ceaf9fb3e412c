"""The handover of a shift: all open alerts change hands at once, by two people, and each history says so."""

import asyncio
import re

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from services.alerts.storage.handover_tables import handovers
from services.alerts.use_cases import forget_expired
from tests.service.alerts.callers import APPROVER, OFFICER, OTHER, Browser, text_of
from tests.service.alerts.conftest import KEYRING, Matcher, NoticeDesk, alert_rows, changes_of, stay_event, token_of
from tests.service.travel import Traveller

pytestmark = pytest.mark.postgres

NUMBERS = ("330199199001010015", "330199198506150026", "330199199207070037")
THIRD = ("duty_officer", "command-centre", "钱八")


@pytest.fixture
async def shift(browser: Browser, db: Database, desk: NoticeDesk, matcher: Matcher) -> list[str]:
    """Three alerts: one acknowledged and one verified by OFFICER, one that nobody has taken on."""
    for number in NUMBERS:
        await desk.activate(number)
        await matcher.read(stay_event(token_of(number)))
    ids = [str(row.alert_id) for row in await alert_rows(db)]
    for each in ids[:2]:
        await browser.post(f"/alerts/{each}/acknowledgement", {}, OFFICER)
    await browser.post(f"/alerts/{ids[1]}/verification", {"result": "true_match", "reason": "相符"}, OFFICER)
    return ids


async def offer(browser: Browser, note: str = "湖滨旅馆等派出所回执。") -> str:
    """Offer OFFICER's shift; return the handover's path as another officer's page has it."""
    answer = await browser.post("/handover", {"text": note}, OFFICER, htmx=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/handover")
    page = await browser.get("/handover", OTHER)
    found = re.search(r'action="(/handover/[0-9a-f-]+)/taking"', page.text)
    assert found is not None
    return found.group(1)


async def test_a_shift_changes_hands_whole(browser: Browser, db: Database, shift: list[str]) -> None:
    """State, finding and clock stay; who answers is another; what nobody had taken on is still nobody's."""
    before = {str(row.alert_id): row for row in await alert_rows(db)}
    path = await offer(browser)
    page = text_of(await browser.get("/handover", OTHER))
    for words in ("张六 交班", "湖滨旅馆等派出所回执。", "待接警 1", "无人接警的警情不随班交接"):
        assert words in page, words
    assert "交接班 1" in text_of(await browser.get("/", OTHER)), "whoever comes next is told on the board"
    assert "交接班 1" not in text_of(await browser.get("/", OFFICER))
    taken = await browser.post(f"{path}/taking", {}, OTHER, htmx=False)
    assert (taken.status_code, taken.headers["location"]) == (303, "/?mine=1")
    after = {str(row.alert_id): row for row in await alert_rows(db)}
    assert [after[each].owner_name for each in shift] == ["赵七", "赵七", None]
    for each in shift:
        assert (after[each].state, after[each].due_at, after[each].finding) == (
            before[each].state,
            before[each].due_at,
            before[each].finding,
        )
    assert (await changes_of(db, after[shift[1]].alert_id))[-1] == ("reassigned", "张六")
    assert "赵七 接班，接自张六" in text_of(await browser.get(f"/?alert={shift[1]}", OTHER))
    assert "张六 交 赵七 / 2 条警情" in text_of(await browser.get("/handover", THIRD))
    closed = {"outcome": "handed_over", "reason": "移交"}
    assert (await browser.post(f"/alerts/{shift[1]}/closure", closed, OTHER)).status_code == 200


async def test_an_offer_needs_a_word_and_stands_once(browser: Browser, shift: list[str]) -> None:
    """An empty one is refused by its field; a second one waits for the first to be taken back."""
    empty = await browser.post("/handover", {"text": " "}, OFFICER, htmx=False)
    assert (empty.status_code, "此项必填" in empty.text) == (422, True)
    path = await offer(browser)
    again = await browser.post("/handover", {"text": "另一句"}, OFFICER, htmx=False)
    assert again.status_code == 409
    assert "先撤回" in text_of(again)
    assert (await browser.post(f"{path}/withdrawal", {}, OTHER, htmx=False)).status_code == 409
    assert (await browser.post(f"{path}/withdrawal", {}, OFFICER, htmx=False)).status_code == 303
    assert "撤回" in text_of(await browser.post(f"{path}/taking", {}, OTHER, htmx=False))
    assert await offer(browser, "另一句") != path


async def test_two_people_hand_over_and_the_first_to_take_has_it(browser: Browser, shift: list[str]) -> None:
    """Not oneself; of two who press at once one is told; who has it may press again."""
    path = await offer(browser)
    assert (await browser.post(f"{path}/taking", {}, OFFICER, htmx=False)).status_code == 409
    answers = await asyncio.gather(
        *(browser.post(f"{path}/taking", {}, who, htmx=False) for who in (OTHER, THIRD, OTHER, THIRD))
    )
    assert sorted(each.status_code for each in answers) == [303, 303, 409, 409]
    assert (await browser.post(f"{path}/withdrawal", {}, OFFICER, htmx=False)).status_code == 409


async def test_an_alert_that_somebody_took_over_meanwhile_stays_theirs(
    browser: Browser, db: Database, shift: list[str]
) -> None:
    path = await offer(browser)
    await browser.post(f"/alerts/{shift[0]}/acknowledgement", {"reason": "就近"}, THIRD)
    await browser.post(f"{path}/taking", {}, OTHER, htmx=False)
    owners = {str(row.alert_id): row.owner_name for row in await alert_rows(db)}
    assert [owners[each] for each in shift] == ["钱八", "赵七", None]


async def test_only_duty_officers_hand_over(browser: Browser) -> None:
    assert (await browser.get("/handover", APPROVER)).status_code == 403
    assert (await browser.post("/handover", {"text": "x"}, APPROVER, htmx=False)).status_code == 403
    unknown = await browser.post(f"/handover/{'0' * 8}-0000-7000-8000-{'0' * 12}/taking", {}, OFFICER, htmx=False)
    assert unknown.status_code == 404


async def test_a_note_is_sealed_and_forgotten_with_its_handover(
    browser: Browser, db: Database, shift: list[str]
) -> None:
    path = await offer(browser, "陈某某的家属来过")
    await browser.post(f"{path}/taking", {}, OTHER, htmx=False)
    async with db.read() as tx:
        (row,) = await tx.all(sa.select(handovers))
    assert "陈某某".encode() not in row.note
    traveller = Traveller(db, forget_expired.removals(KEYRING))
    await traveller.before("alert", row.ended_at)
    async with db.read() as tx:
        assert len(await tx.all(sa.select(handovers))) == 1
    await traveller.after("alert", row.ended_at)
    async with db.read() as tx:
        assert not await tx.all(sa.select(handovers))
    assert not await traveller.holding(row.handover_id)
