"""Housing's pages without a browser: who sees what, and a form that loses nothing of what was typed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.run.service import WebParts
from policy.packs import Packs
from services.housing.domain.headcounts import Headcount
from services.housing.domain.inspections import Finding, Visit
from services.housing.domain.premises import stub
from services.housing.storage import hazards, headcounts
from services.housing.storage.tables import premises
from services.housing.use_cases.keep_stub import keep_stub
from services.housing.use_cases.record_inspection import record_inspection
from tests.service.housing.app import ORIGIN, end, logged_in, make
from tests.service.housing.conftest import INSPECTOR, NOW, Register
from tests.service.travel import database_clock
from tests.unit.chassis_web.demo import FakeProvider

pytestmark = pytest.mark.postgres

TYPED = {
    "key": "0192d8a0-0000-7000-8000-000000000042",
    "kind": "hotel",
    "name": "湖滨旅馆",
    "address": "柳堤街道湖滨路 8 号",
    "division_code": "330199001",
    "latitude": "30.25",
    "longitude": "120.17",
    "rooms": "0801~0804 客房 20\n0001 厨房 30",
    "operator.kind": "person",
    "operator.name": "陈晓敏",
    "operator.phone": "13800000000",
    "operator_unit": "hotel-01",
}


@pytest.fixture
async def parts(db: Database) -> AsyncIterator[WebParts]:
    made = make(db._url, FakeProvider())
    yield made
    await end(made)


def browser(
    parts: WebParts, role: str = "inspector", unit: str = "station-01", language: str = "en"
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=parts.app),
        base_url=ORIGIN,
        headers={"accept": "text/html", "sec-fetch-site": "same-origin"},
        cookies=logged_in(parts, role, unit, language),
    )


async def test_the_list_is_in_both_languages(parts: WebParts, register: Register) -> None:
    await register()
    async with browser(parts) as english, browser(parts, language="zh-CN") as chinese:
        shown = (await english.get("/")).text
        assert "Within the area of" in shown
        assert '<span lang="zh-CN">湖滨旅馆</span>' in shown
        assert "辖区内" in (await chinese.get("/")).text


async def test_the_detail_names_a_firm_but_no_person(parts: WebParts, register: Register) -> None:
    made = await register()
    async with browser(parts) as page, browser(parts, unit="station-02") as other:
        shown = await page.get(f"/premises/{made.premises_id}")
        assert shown.status_code == 200
        assert "湖滨旅馆有限公司" in shown.text
        assert (await other.get(f"/premises/{made.premises_id}")).status_code == 403


async def test_a_division_has_its_name(parts: WebParts, register: Register) -> None:
    made = await register()
    async with browser(parts) as english, browser(parts, language="zh-CN") as chinese:
        for path in ("/", f"/premises/{made.premises_id}"):
            assert "柳堤街道</" in (await chinese.get(path)).text.replace("\n", "")
            assert "Liudi" in (await english.get(path)).text


async def test_who_is_not_logged_in_is_sent_to_log_in_and_comes_back(parts: WebParts) -> None:
    async with browser(parts) as page:
        page.cookies.clear()
        answer = await page.get("/premises/new?x=1")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=/premises/new%3Fx%3D1"


@pytest.mark.parametrize("role", ["clerk", "duty_officer", "manager"])
async def test_other_roles_get_a_page_that_says_why(parts: WebParts, role: str) -> None:
    async with browser(parts, role=role) as page:
        answer = await page.get("/")
        assert answer.status_code == 403
        assert "Your role or unit may not" in answer.text


async def test_an_operator_sees_no_way_to_register(parts: WebParts) -> None:
    async with browser(parts, role="premises_operator", unit="hotel-01") as page:
        assert "/premises/new" not in (await page.get("/")).text
        assert (await page.get("/premises/new")).status_code == 403


async def test_a_form_registers_once_and_leads_to_the_premises(parts: WebParts, db: Database) -> None:
    async with browser(parts) as page:
        first = await page.post("/premises/new", data=TYPED)
        again = await page.post("/premises/new", data=TYPED)
        assert (first.status_code, again.status_code) == (303, 303)
        assert first.headers["location"] == again.headers["location"]
        shown = await page.get(first.headers["location"])
    assert "Capacity 20" in shown.text
    assert "陈晓敏" not in shown.text
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(premises)) == 1


async def test_a_refused_form_keeps_what_was_typed(parts: WebParts) -> None:
    typed = {
        **TYPED,
        "name": "<旅馆>",
        "address": "",
        "rooms": "0801 客房 20\n0801 客房 20",
        "division_code": "330199002",
    }
    async with browser(parts) as page:
        answer = await page.post("/premises/new", data=typed)
        assert answer.status_code == 422
        shown = unescape(answer.text)
        assert 'value="<旅馆>"' in shown
        assert "&lt;旅馆&gt;" in answer.text
        assert "0801 客房 20\n0801 客房 20" in shown
        assert TYPED["key"] in shown
        assert "Standard address: This field is required." in shown

        answer = await page.post("/premises/new", data={**typed, "address": "柳堤街道"})
        assert "This division lies outside" in unescape(answer.text)
        answer = await page.post("/premises/new", data={**typed, "address": "柳堤街道", "division_code": "330199001"})
        assert "Line 2: this room number stands there twice." in unescape(answer.text)


async def test_a_form_from_another_site_is_refused(parts: WebParts, db: Database) -> None:
    async with browser(parts) as page:
        answer = await page.post("/premises/new", data=TYPED, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(premises)) == 0


async def test_premises_are_closed_by_who_knows_how_many_live_there(
    parts: WebParts, register: Register, db: Database
) -> None:
    here = f"/premises/{(await register()).premises_id}"
    async with db.transaction() as tx:
        await headcounts.put(tx, [Headcount(UUID(here[-36:]), 4, (1, 1))])
    async with browser(parts) as page:
        assert "4 people live here" in (await page.get(f"{here}/closing")).text
        for number, told in [("", "This field is required"), ("four", "Enter a whole number"), ("3", "4 people live")]:
            form = {"key": str(uuid4()), "reason": "出口堵塞", "confirm_headcount": number}
            answer = await page.post(f"{here}/closing", data=form)
            assert answer.status_code == 422
            assert told in answer.text
            assert "出口堵塞" in answer.text
        form = {"key": str(uuid4()), "reason": "出口堵塞", "confirm_headcount": "４"}
        assert [(await page.post(f"{here}/closing", data=form)).status_code for _ in range(2)] == [303, 303]
        shown = (await page.get(here)).text
        assert "Closed, 4 lived there" in shown
        assert f"{here}/reopening" in shown
        answer = await page.post(f"{here}/reopening", data={"key": str(uuid4()), "reason": "已整改"})
        assert answer.status_code == 303
        assert f"{here}/closing" in (await page.get(here)).text


async def blocked(db: Database, packs: Packs, premises_id: UUID) -> str:
    """Let a visit find the exit blocked; return the address at which that is cleared."""
    visit = Visit("1", "consent", "done", NOW, (Finding("fire_exits", "fail"),))
    with database_clock(NOW):
        async with db.transaction() as tx:
            recorded = await record_inspection(tx, premises_id, visit, INSPECTOR, packs=packs)
    return f"/premises/{premises_id}/hazards/{recorded.hazards[0].hazard_id}/clearing"


async def test_a_hazard_is_cleared_on_its_page_by_the_databases_clock(
    parts: WebParts, register: Register, db: Database, packs: Packs
) -> None:
    hotel = (await register()).premises_id
    clearing, moment = await blocked(db, packs, hotel), NOW + timedelta(minutes=3)
    async with browser(parts) as page:
        with database_clock(moment):
            assert (await page.post(clearing, data={"key": str(uuid4()), "note": "已清理"})).status_code == 303
    async with db.read() as tx:
        (cleared,) = await hazards.cleared_of(tx, hotel, 1)
    assert cleared.cleared_at == moment


async def test_a_hazard_is_seen_and_cleared(parts: WebParts, register: Register, db: Database, packs: Packs) -> None:
    made = await register()
    here = f"/premises/{made.premises_id}"
    clearing = await blocked(db, packs, made.premises_id)
    async with browser(parts) as page, browser(parts, language="zh-CN") as chinese:
        assert "Imminent danger" in (await page.get("/")).text
        assert "紧迫危险" in (await chinese.get("/map")).text
        assert clearing in (await page.get(here)).text
        assert "open since" in (await page.get(f"{here}/inspect")).text
        assert (await page.post(clearing, data={"key": str(uuid4()), "note": " "})).status_code == 422
        assert (await page.post(clearing, data={"key": str(uuid4()), "note": "已清理"})).status_code == 303
        shown = (await page.get(here)).text
        assert "No hazard is open" in shown
        assert "Hazard cleared" in shown
        assert (await page.get(clearing)).status_code == 404


async def test_an_operator_signs_the_letter_and_closes_nothing(parts: WebParts, register: Register) -> None:
    here = f"/premises/{(await register()).premises_id}"
    async with browser(parts, role="premises_operator", unit="hotel-01") as page:
        shown = (await page.get(here)).text
        assert "Not signed" in shown
        assert f"{here}/closing" not in shown
        assert f"{here}/inspect" not in shown
        assert (await page.get(f"{here}/closing")).status_code == 403
        form = {"key": str(uuid4()), "letter_version": "1"}
        assert (await page.post(f"{here}/letter", data=form)).status_code == 303
        assert "Not signed" not in (await page.get(here)).text
        assert (await page.post(f"{here}/letter", data={**form, "key": str(uuid4())})).status_code == 409


async def test_a_stub_is_completed_on_the_form(parts: WebParts, db: Database, unknown: UUID) -> None:
    async with db.transaction() as tx:
        await keep_stub(tx, stub(unknown, "rental", "柳堤街道无名巷 3 号", "330199001", NOW))
    here = f"/premises/{unknown}"
    async with browser(parts) as page:
        assert "柳堤街道无名巷 3 号" in (await page.get("/")).text
        assert f"{here}/completion" in (await page.get(here)).text
        assert 'value="柳堤街道无名巷 3 号"' in (await page.get(f"{here}/completion")).text
        refused = await page.post(f"{here}/completion", data={**TYPED, "name": ""})
        assert refused.status_code == 422
        assert f'action="{here}/completion"' in refused.text
        assert (await page.post(f"{here}/completion", data=TYPED)).status_code == 303
        assert "Capacity 20" in (await page.get(f"{here}?registered=1")).text
        assert (await page.get(f"{here}/completion")).status_code == 409
