"""The desk's pages: nothing typed is lost, one form registers once, persons stay masked until a purpose is given."""

import html
import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries
from services.registration.storage.tables import stays
from services.registration.web import desk
from tests.people import wrong_check_digit
from tests.service.registration.conftest import FLAT, HOTEL, PEOPLE, Desk, emitted

STAYS = "registration.stays"


def form(**changes: str) -> dict[str, str]:
    """An arrival as the page's form sends it."""
    person = PEOPLE.person(rare=0)
    typed = {
        "key": str(uuid4()),
        "person.document.kind": "resident_id",
        "person.document.number": person["document"]["number"],
        "person.name": person["name"],
        "premises_id": str(HOTEL.premises_id),
        "room": "0801",
        "arrived_at": "",
        "expected_until": "+2",
        "stay": "hotel_guest/hotel_register",
    }
    return typed | changes


async def post(desk: Desk, path: str, data: dict[str, str], language: str = "en") -> httpx.Response:
    """Send a form as a logged-in page does."""
    headers = desk.provider.headers(desk.role, desk.unit, desk.name)
    return await desk.http.post(path, data=data, headers=headers | {"accept": "text/html", "accept-language": language})


async def get(desk: Desk, path: str, language: str = "en") -> httpx.Response:
    """Open a page."""
    headers = desk.provider.headers(desk.role, desk.unit, desk.name)
    return await desk.http.get(path, headers=headers | {"accept": "text/html", "accept-language": language})


def typed_values(page: str) -> dict[str, str]:
    """What stands in the page's inputs."""
    inputs = re.findall(r"<input\b[^>]*>", page)
    found = {}
    for each in inputs:
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', each))
        found[attributes.get("name", "")] = html.unescape(attributes.get("value", ""))
    return found


async def test_who_is_not_logged_in_is_sent_to_log_in(clerk: Desk) -> None:
    answer = await clerk.http.get("/", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/")
    assert (await get(replace(clerk, role="duty_officer", unit="command-centre"), "/")).status_code == 403


async def test_a_form_registers_an_arrival_once_and_shows_its_receipt(clerk: Desk, db: Database) -> None:
    typed = form(**{"person.name": "欧阳晓华"})
    first, again = await post(clerk, "/", typed), await post(clerk, "/", typed)
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    assert len(await emitted(db, STAYS)) == 1
    page = (await get(clerk, first.headers["location"])).text
    assert "Registered, receipt" in page
    today = page[page.index("<aside") : page.index("</aside>")]
    assert re.search(rf"欧\*华.*0801.*{HOTEL.address}", today, re.DOTALL), "who, and in which room of which premises"
    assert "欧阳晓华" not in page
    assert typed["person.document.number"] not in page
    kept = typed_values(page)
    assert (kept["room"], kept["premises_id"]) == ("0801", str(HOTEL.premises_id))
    assert kept["expected_until"].endswith("12:00")
    assert kept["person.name"] == ""
    assert kept["key"] != typed["key"]


async def test_the_days_head_counts_everybody_and_the_list_ends(clerk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "DAY_LINES", 1)
    for _ in range(2):
        assert (await post(clerk, "/", form())).status_code == 303
    page = (await get(clerk, "/")).text
    assert "2 people today" in page
    assert page.count('class="row-link"') == 1


async def test_a_refused_form_says_why_in_both_places_and_keeps_what_was_typed(clerk: Desk, db: Database) -> None:
    typed = form(room="0896", **{"person.name": "1", "person.birth_date": "13 Feb", "arrived_at": "tomorrow"})
    answer = await post(clerk, "/", typed)
    assert answer.status_code == 422
    page = answer.text
    for sentence in (
        "Write the date as 8 digits, such as 19900213.",
        "Write the time as 11-24 10:44.",
    ):
        assert page.count(html.escape(sentence)) == 2
    shown = typed_values(page)
    for name in ("person.name", "person.document.number", "person.birth_date", "room", "arrived_at", "key"):
        assert shown[name] == typed[name]
    typed |= {"person.birth_date": "", "arrived_at": ""}
    page = (await post(clerk, "/", typed, "zh-CN")).text
    assert page.count("这处住所没有这个房号。") == 2
    assert page.count("姓名只有文字和各部分之间的符号。") == 2
    assert await emitted(db, STAYS) == []


@pytest.mark.parametrize("missing", ["premises_id", "person.name", "person.document.number", "room", "stay"])
async def test_what_is_missing_is_pointed_at(clerk: Desk, missing: str) -> None:
    answer = await post(clerk, "/", form(**{missing: ""}))
    assert answer.status_code == 422
    assert "This field is required." in answer.text


async def test_premises_outside_the_area_are_refused_without_losing_the_form(clerk: Desk) -> None:
    typed = form(premises_id=str(FLAT.premises_id), room="1", stay="tenant/rental_register")
    answer = await post(clerk, "/", typed)
    assert answer.status_code == 422
    assert typed_values(answer.text)["person.name"] == typed["person.name"]


async def test_a_minor_brings_the_guardians_fields(clerk: Desk, db: Database) -> None:
    child = PEOPLE.minor()
    typed = form(**{"person.document.number": child["document"]["number"]})
    answer = await post(clerk, "/", typed)
    assert answer.status_code == 422
    assert 'name="guardian.phone"' in answer.text
    facts = (await post(clerk, "/facts", typed)).text
    assert 'name="guardian.phone"' in facts
    guardian = PEOPLE.guardian()
    answer = await post(clerk, "/", typed | {f"guardian.{name}": value for name, value in guardian.items()})
    assert answer.status_code == 303
    assert len(await emitted(db, STAYS)) == 1


async def test_a_number_tells_its_facts_while_the_rest_is_typed(clerk: Desk) -> None:
    person = PEOPLE.person()
    number = person["document"]["number"]
    blank = {"person.document.kind": "resident_id", "stay": "hotel_guest/hotel_register", "filled": "/"}
    born = person["birth_date"].replace("-", "")
    page = (await post(clerk, "/facts", blank | {"person.document.number": number.lower()})).text
    assert typed_values(page)["person.birth_date"] == born
    # What a person typed is not overwritten; what an earlier number filled in is.
    own = blank | {"person.document.number": number, "person.birth_date": "19800101", "person.sex": "male"}
    assert 'name="person.birth_date"' not in (await post(clerk, "/facts", own)).text
    earlier = own | {"filled": "19800101/male"}
    assert typed_values((await post(clerk, "/facts", earlier)).text)["person.birth_date"] == born
    misread = wrong_check_digit(number)
    gone = (await post(clerk, "/facts", earlier | {"person.document.number": misread})).text
    assert typed_values(gone)["person.birth_date"] == ""
    advice = (await post(clerk, "/facts", blank | {"person.document.number": misread})).text
    assert "Read all three groups again" in advice
    assert number[-1] not in re.sub(r"<[^>]*>|18|6-8-4", "", advice)
    wrong = (await post(clerk, "/facts", blank | {"person.document.number": "330199900213001"})).text
    assert "15 digits" in wrong
    assert (await post(clerk, "/facts", {})).status_code == 200


async def test_premises_and_rooms_are_offered_within_the_area(clerk: Desk) -> None:
    assert HOTEL.address in (await get(clerk, "/places?address=湖滨")).text
    assert HOTEL.address not in (await get(replace(clerk, unit="station-02"), "/places?address=湖滨")).text
    page = (await get(clerk, f"/places/{HOTEL.premises_id}")).text
    assert typed_values(page)["premises_id"] == str(HOTEL.premises_id)
    assert 'data-room="0801"' in page
    assert 'data-room="B1"' not in page
    assert (await get(clerk, f"/places/{FLAT.premises_id}")).status_code == 403
    operator = replace(clerk, role="premises_operator", unit="hotel-01")
    assert typed_values((await get(operator, "/")).text)["premises_id"] == str(HOTEL.premises_id)
    rooms = re.findall(r'data-room="(\w+)"', (await get(clerk, f"/places/{HOTEL.premises_id}/rooms?room=0802")).text)
    assert rooms[0] == "0802"


async def arrived(clerk: Desk) -> tuple[dict[str, Any], str]:
    """Somebody who has arrived, and the address of the stay's page."""
    person = PEOPLE.person(rare=0) | {"name": "欧阳晓华"}
    return person, f"/stays/{(await clerk.arrive(person=person))['stay_id']}"


async def test_a_stay_is_masked_until_a_purpose_and_case_are_given(clerk: Desk, db: Database) -> None:
    person, path = await arrived(clerk)
    number = person["document"]["number"]
    page = (await get(clerk, path)).text
    assert "欧*华" in page
    assert "欧阳晓华" not in page
    assert number not in page
    for why in ({"purpose": "", "case": "A-1"}, {"purpose": "registration_service", "case": "a b"}):
        refused = await post(clerk, f"{path}/view", why)
        assert refused.status_code == 422
        assert "欧阳晓华" not in refused.text
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(audit_entries)) == 0
    shown = await post(clerk, f"{path}/view", {"purpose": "registration_service", "case": "A-1"})
    assert "欧阳晓华" in shown.text
    assert number in shown.text
    assert shown.headers["cache-control"] == "no-store"
    async with db.read() as tx:
        assert await tx.scalar(sa.select(audit_entries.c.case)) == "A-1"
    assert (await get(replace(clerk, unit="station-02"), path)).status_code == 403
    assert (await get(clerk, f"/stays/{uuid4()}")).status_code == 404


async def test_a_departure_is_recorded_on_the_stays_page(clerk: Desk, db: Database) -> None:
    _, path = await arrived(clerk)
    wrong = await post(clerk, f"{path}/departure", {"key": "k1", "departed_at": "2020-01-01 10:00"})
    assert wrong.status_code == 422
    assert wrong.text.count("Lies before the arrival.") == 2
    unreadable = await post(clerk, f"{path}/departure", {"key": "k2", "departed_at": "noon"})
    assert typed_values(unreadable.text)["departed_at"] == "noon"
    typed = {"key": "k3", "departed_at": ""}
    assert (await post(clerk, f"{path}/departure", typed)).headers["location"] == f"{path}?departed=1"
    assert (await post(clerk, f"{path}/departure", typed)).status_code == 303
    assert (await post(clerk, f"{path}/departure", {"key": "k4"})).status_code == 422
    assert len(await emitted(db, STAYS)) == 2
    assert "The departure is recorded." in (await get(clerk, f"{path}?departed=1")).text


async def test_a_correction_is_recorded_on_the_stays_page(clerk: Desk, db: Database) -> None:
    person, path = await arrived(clerk)
    refused = await post(clerk, f"{path}/corrections", {"key": "k1", "field": "name", "value": "欧阳1", "reason": ""})
    assert refused.status_code == 422
    assert typed_values(refused.text)["value"] == "欧阳1"
    steps = [
        {"field": "name", "value": "欧阳小华"},
        {"field": "document", "value.kind": "passport", "value.number": "E12345678", "value.issuing_country": "KOR"},
        {"field": "birth_date", "value": "19900213"},
        {"field": "arrived_at", "value": "2026-01-01 10:00"},
        {"field": "expected_until", "value": "+3"},
        {"field": "guardian", "value.name": "王芳", "value.phone": "10012345678", "value.relation": "母亲"},
        {"field": "phone", "value": "10012345678"},
        {"field": "sex", "value": "female" if person["sex"] == "male" else "male"},
        {"field": "room", "value": "0802"},
    ]
    for at, step in enumerate(steps):
        answer = await post(clerk, f"{path}/corrections", {"key": f"c{at}", "reason": "读错", **step})
        assert answer.status_code == 303, (step, re.findall(r'class="err"[^>]*>([^<]*)', answer.text))
        assert (await get(clerk, f"{path}/correction?field={step['field']}")).status_code == 200
    assert len(await emitted(db, STAYS)) == 1 + len(steps)
    async with db.read() as tx:
        assert await tx.scalar(sa.select(stays.c.room)) == "0802"


async def test_the_list_of_residents_is_masked(clerk: Desk) -> None:
    await arrived(clerk)
    page = (await get(clerk, f"/occupants?premises={HOTEL.premises_id}")).text
    assert "欧*华" in page
    assert "欧阳晓华" not in page
    assert HOTEL.address in (await get(clerk, "/occupants")).text
    assert (await get(clerk, f"/occupants?premises={FLAT.premises_id}")).status_code == 403


async def test_a_look_up_needs_a_reason_and_finds_open_stays(clerk: Desk) -> None:
    person, path = await arrived(clerk)
    typed = {"person.document.kind": "resident_id", "person.document.number": person["document"]["number"]}
    refused = await post(clerk, "/look-up", typed)
    assert refused.status_code == 422
    assert path not in refused.text
    why = {"purpose": "registration_service", "case": "A-1"}
    found = await post(clerk, "/look-up", typed | why)
    assert path in found.text
    nobody = typed | {"person.document.number": PEOPLE.resident_id()}
    assert "Nobody with this document" in (await post(clerk, "/look-up", nobody | why)).text
    wrong = await post(clerk, "/look-up", typed | why | {"person.document.number": "1"})
    assert wrong.status_code == 422
    assert "18 characters" in wrong.text


async def test_the_days_list_shows_this_unit_only(clerk: Desk) -> None:
    await arrived(clerk)
    assert "欧*华" in (await get(clerk, "/")).text
    assert "欧*华" not in (await get(replace(clerk, unit="city"), "/")).text
