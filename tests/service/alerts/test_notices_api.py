"""Notices over HTTP: who may do what, what is refused and how, and who sees whom a notice names."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries
from services.alerts.storage.tables import notice_terms, notices
from services.alerts.use_cases.keep_unit import Unit, keep_unit
from tests.service.alerts.callers import Api
from tests.service.alerts.conftest import Registration, now

pytestmark = pytest.mark.postgres

NUMBER = "330199199001010015"
AUTHOR = ("notice_author", "notice-desk-01", "赵一")
APPROVER = ("notice_approver", "notice-desk-02", "孙三")
OVERSEER = ("overseer", "oversight", "周五")


def proposal(**changes: Any) -> dict[str, Any]:
    """A sound proposal."""
    made = {
        "kind": "wanted",
        "instrument": {"kind": "arrest_approval", "number": "云检捕〔2026〕0144 号", "authority": "云汀市人民检察院"},
        "subject": {"document": {"kind": "resident_id", "number": NUMBER}, "name": "陈某"},
        "starts_at": now().isoformat(),
        "ends_at": (now() + timedelta(days=30)).isoformat(),
        "recipients": ["command-centre"],
        "instructions": "两名民警到场；先核对证件原件。",
    }
    return made | changes


async def propose(api: Api, **changes: Any) -> dict[str, Any]:
    """Propose, and return the answer."""
    response = await api.post("/notices", proposal(**changes), *AUTHOR)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


async def approve(api: Api, notice: dict[str, Any]) -> dict[str, Any]:
    """Approve, and return the answer."""
    response = await api.post(
        f"/notices/{notice['notice_id']}/approval", {"content_hash": notice["content_hash"]}, *APPROVER
    )
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_propose_approve_withdraw(api: Api, registration: Registration) -> None:
    """The short way through a notice's life, and what registration is asked on it."""
    notice = await propose(api)
    assert notice["state"] == "proposed"
    (asked,) = registration.asked
    assert asked.headers["anju-on-behalf-of"] == api.provider.subject(*AUTHOR)
    assert asked.headers["authorization"] == "Bearer service-token"
    assert NUMBER not in str(asked.url)
    active = await approve(api, notice)
    assert (active["state"], active["content_hash"]) == ("active", notice["content_hash"])
    path = f"/notices/{notice['notice_id']}/withdrawal"
    ended = (await api.post(path, {"reason": "已到案", "why": "carried_out"}, *AUTHOR)).json()
    assert (ended["state"], ended["why"]) == ("ended", "carried_out")
    again = await api.post(path, {"reason": "已到案"}, *AUTHOR)
    assert again.status_code == 409
    assert again.json()["type"] == "urn:anju:problem:notice-ended"
    assert (again.json()["state"], again.json()["why"]) == ("ended", "carried_out")


BAD_PROPOSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "lost_document"}, "/kind", "kind-not-available"),
    ({"kind": "protection_order"}, "/kind", "kind-not-available"),
    ({"kind": "family_tracing"}, "/kind", "kind-not-available"),
    ({"kind": "suspicious"}, "/kind", "not-a-choice"),
    ({"subject": {"name": "陈某"}}, "/subject/document", "document-required"),
    ({"kind": "missing_person"}, "/instrument/kind", "instrument-not-for-kind"),
    ({"premises_ids": [str(uuid4())]}, "/premises_ids", "premises-not-for-kind"),
    ({"starts_at": (now() - timedelta(days=2)).isoformat()}, "/starts_at", "starts-too-early"),
    ({"starts_at": (now() + timedelta(days=91)).isoformat()}, "/starts_at", "starts-too-late"),
    ({"ends_at": (now() + timedelta(days=4000)).isoformat()}, "/ends_at", "term-too-long"),
    ({"starts_at": "2026-11-24T10:00:00"}, "/starts_at", "offset-missing"),
    ({"starts_at": "0001-01-01T00:00:00+08:00"}, "/starts_at", "time-out-of-range"),
    ({"ends_at": "9999-12-31T23:59:59-12:00"}, "/ends_at", "time-out-of-range"),
    ({"starts_at": "9999-12-31T23:59:59Z"}, "/starts_at", "time-out-of-range"),
    ({"starts_at": 1764000000}, "/starts_at", "not-a-time"),
    ({"recipients": []}, "/recipients", "too-few"),
    ({"recipients": ["nowhere"]}, "/recipients/0", "unknown-unit"),
    ({"recipients": ["command-centre", "hotel-01"]}, "/recipients/1", "not-a-recipient"),
    ({"instructions": "   "}, "/instructions", "too-short"),
    ({"instructions": "a\u0000b"}, "/instructions", "unprintable-character"),
    ({"ethnicity": "x"}, "/ethnicity", "unknown-field"),
]


async def test_a_proposal_that_breaks_a_rule_names_the_field(
    api: Api, db: Database, registration: Registration
) -> None:
    """422, pointer, code and a sentence; nothing of it is stored, and none of the desk's tokens is spent on it."""
    async with db.transaction() as tx:
        await keep_unit(tx, Unit("command-centre", "指挥中心", "Command centre", "command_centre", ()), (1, 1))
        await keep_unit(tx, Unit("hotel-01", "湖滨旅馆", "Hubin hotel", "operator", ()), (1, 2))
    for change, pointer, code in BAD_PROPOSALS:
        body = proposal(**change)
        if "starts_at" in change and code.startswith("starts"):
            body["ends_at"] = (now() + timedelta(days=92)).isoformat()
        response = await api.post("/notices", body, *AUTHOR)
        assert response.status_code == 422, response.text
        assert response.headers["content-type"] == "application/problem+json"
        found = {(error["pointer"], error["code"]) for error in response.json()["errors"]}
        assert (pointer, code) in found
        assert all(error["message"] for error in response.json()["errors"])
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(notices)) == 0
    assert registration.asked == []


async def test_every_broken_rule_is_told_at_once(api: Api) -> None:
    """Whoever mends one does not meet the next only then."""
    body = proposal(kind="missing_person", subject={"name": "陈某"}, premises_ids=[str(uuid4())])
    body["ends_at"] = body["starts_at"]
    answer = await api.post("/notices", body, *AUTHOR)
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/instrument/kind",
        "/subject/document",
        "/premises_ids",
        "/ends_at",
    }


async def test_a_number_that_fails_its_check_is_refused_at_its_field(api: Api, registration: Registration) -> None:
    """As registration says it, without the number."""
    fault = {"pointer": "/document/number", "code": "number-fails-its-check", "message": "请再读一次校验码。"}
    registration.status, registration.body = 422, {"errors": [fault]}
    response = await api.post("/notices", proposal(), *AUTHOR)
    assert response.status_code == 422
    assert response.json()["errors"] == [fault | {"pointer": "/subject/document/number"}]
    assert NUMBER not in response.text


@pytest.mark.parametrize("status", [500, 503, 401, 404])
async def test_registration_that_answers_wrongly_is_unreachable(
    api: Api, registration: Registration, status: int
) -> None:
    """503 with Retry-After, also when it is down; the same request goes through afterwards."""
    body, key = proposal(), str(uuid4())
    registration.status = status
    response = await api.post("/notices", body, *AUTHOR, key=key)
    registration.status, registration.down = 200, True
    down = await api.post("/notices", body, *AUTHOR, key=key)
    for each in (response, down):
        assert each.status_code == 503
        assert each.json()["type"] == "urn:anju:problem:registration-unreachable"
        assert each.headers["retry-after"]
    registration.down = False
    assert (await api.post("/notices", body, *AUTHOR, key=key)).status_code == 201


async def test_too_many_tokens_is_told_with_the_time_to_wait(api: Api, registration: Registration) -> None:
    """429 as registration says."""
    registration.status = 429
    response = await api.post("/notices", proposal(), *AUTHOR)
    assert (response.status_code, response.headers["retry-after"]) == (429, "60")


async def test_one_key_is_one_notice(api: Api) -> None:
    """A repeat gives the first answer; another body under the key is refused."""
    body, key = proposal(), str(uuid4())
    first = await api.post("/notices", body, *AUTHOR, key=key)
    second = await api.post("/notices", body, *AUTHOR, key=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    other = await api.post("/notices", proposal(instructions="别的"), *AUTHOR, key=key)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("unit", "name", "code"),
    [("notice-desk-01", "钱二", "same-unit"), ("notice-desk-01", "赵一", "same-unit")],
)
async def test_nobody_of_the_authors_unit_approves_and_the_try_is_kept(
    api: Api, db: Database, unit: str, name: str, code: str
) -> None:
    """403, the notice stays proposed, and the audit log holds the attempt."""
    notice = await propose(api)
    body = {"content_hash": notice["content_hash"]}
    response = await api.post(f"/notices/{notice['notice_id']}/approval", body, "notice_approver", unit, name)
    assert response.status_code == 403
    assert response.json()["type"] == f"urn:anju:problem:{code}"
    assert (await api.get(f"/notices/{notice['notice_id']}", *OVERSEER)).json()["state"] == "proposed"
    async with db.read() as tx:
        rows = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "notice.approval-refused"))
    assert [(row.subject, row.actor_unit) for row in rows] == [(notice["notice_id"], unit)]


async def test_approval_needs_the_hash_of_what_waits(api: Api) -> None:
    """Another hash is 409, a hash that is none 422, a notice that is none 404."""
    notice = await propose(api)
    path = f"/notices/{notice['notice_id']}/approval"
    other = await api.post(path, {"content_hash": "0" * 64}, *APPROVER)
    assert (other.status_code, other.json()["type"]) == (409, "urn:anju:problem:content-changed")
    assert (await api.post(path, {"content_hash": "abc"}, *APPROVER)).status_code == 422
    nowhere = f"/notices/{uuid4()}/approval"
    assert (await api.post(nowhere, {"content_hash": notice["content_hash"]}, *APPROVER)).status_code == 404
    await approve(api, notice)
    twice = await api.post(path, {"content_hash": notice["content_hash"]}, *APPROVER)
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:anju:problem:nothing-to-approve")


async def test_two_approvers_at_once_are_one_approval(api: Api, db: Database) -> None:
    """One 200, one 409, one signature."""
    notice = await propose(api)
    body = {"content_hash": notice["content_hash"]}
    path = f"/notices/{notice['notice_id']}/approval"
    answers = await asyncio.gather(
        *(api.post(path, body, "notice_approver", "notice-desk-02", name) for name in ("孙三", "李四"))
    )
    assert sorted(each.status_code for each in answers) == [200, 409]
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).where(notice_terms.c.signature.is_not(None))) == 1


async def test_a_renewal_is_proposed_again_and_the_old_term_runs_on(api: Api) -> None:
    """A new hash; active all along; the later end counts from the approval."""
    notice = await approve(api, await propose(api))
    later = (now() + timedelta(days=60)).isoformat()
    renewed = await api.post(f"/notices/{notice['notice_id']}/renewal", {"ends_at": later}, *AUTHOR)
    assert renewed.status_code == 200
    waiting = renewed.json()
    assert (waiting["state"], waiting["ends_at"]) == ("active", notice["ends_at"])
    assert waiting["content_hash"] != notice["content_hash"]
    assert waiting["renewal"]["content_hash"] == waiting["content_hash"]
    active = await approve(api, waiting)
    assert active["ends_at"] == later.replace("Z", "+00:00")
    assert active["renewal"] is None
    elsewhere = await api.post(
        f"/notices/{notice['notice_id']}/renewal", {"ends_at": later}, "notice_author", "notice-desk-02", "吴六"
    )
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (403, "urn:anju:problem:not-your-unit")


async def test_the_overseer_suspends_and_lifts(api: Api) -> None:
    """With reasons, which the history keeps."""
    notice = await approve(api, await propose(api))
    path = f"/notices/{notice['notice_id']}"
    assert (await api.post(f"{path}/suspension", {"reason": "误报"}, *OVERSEER)).json()["state"] == "suspended"
    assert (await api.post(f"{path}/suspension", {"reason": "误报"}, *OVERSEER)).status_code == 409
    assert (await api.post(f"{path}/lifting", {"reason": "已复核"}, *OVERSEER)).json()["state"] == "active"
    history = (await api.get(path, *OVERSEER)).json()["history"]
    assert [(each["change"], each.get("reason")) for each in history] == [
        ("proposed", None),
        ("approved", None),
        ("suspended", "误报"),
        ("lifted", "已复核"),
    ]


async def test_lists_are_paged_newest_first_and_filtered_by_state(api: Api) -> None:
    """Each notice once over the pages."""
    made = [(await propose(api))["notice_id"] for _n in range(5)]
    first = (await api.get("/notices", *OVERSEER, limit=2)).json()
    second = (await api.get("/notices", *OVERSEER, limit=2, cursor=first["next"])).json()
    third = (await api.get("/notices", *OVERSEER, limit=2, cursor=second["next"])).json()
    found = [each["notice_id"] for page in (first, second, third) for each in page["items"]]
    assert found == made[::-1]
    assert third["next"] is None
    assert (await api.get("/notices", *OVERSEER, state="active")).json()["items"] == []
    for wrong in ({"cursor": "x"}, {"limit": 0}, {"limit": 101}, {"state": "open"}):
        assert (await api.get("/notices", *OVERSEER, **wrong)).status_code == 422
