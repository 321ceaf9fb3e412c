"""Alerts over HTTP: the life cycle of interfaces.md, lists, who sees what."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries
from contracts import topics
from services.alerts.use_cases.keep_place import Place, keep_place
from tests.service.alerts.callers import Api
from tests.service.alerts.conftest import PREMISES, Matcher, NoticeDesk, emitted, stay_event, token_of

pytestmark = pytest.mark.postgres

ANNA = ("duty_officer", "command-centre", "安娜")
BO = ("duty_officer", "command-centre", "博")


@pytest.fixture
async def alert_id(desk: NoticeDesk, matcher: Matcher, api: Api) -> str:
    """The id of a new alert."""
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    (alert,) = (await api.get("/alerts", *ANNA)).json()["items"]
    return str(alert["alert_id"])


async def step(api: Api, alert_id: str, name: str, body: dict[str, Any], who: tuple[str, str, str] = ANNA) -> Any:
    """Take a step; returns the answer."""
    return await api.post(f"/alerts/{alert_id}/{name}", body, *who)


async def test_the_way_of_an_alert(api: Api, alert_id: str, db: Database) -> None:
    """Acknowledge, verify, close, reopen; history, stream and events tell the same."""
    acknowledged = (await step(api, alert_id, "acknowledgement", {})).json()
    assert (acknowledged["state"], acknowledged["owner"]) == ("acknowledged", api.provider.subject(*ANNA))
    verified = (await step(api, alert_id, "verification", {"result": "true_match", "reason": "证件相符"})).json()
    assert (verified["state"], verified["verification"]) == ("verified", "true_match")
    closed = (await step(api, alert_id, "closure", {"outcome": "handed_over", "reason": "移交"})).json()
    assert (closed["state"], closed["due_at"]) == ("closed", None)
    reopened = (await step(api, alert_id, "reopening", {"reason": "再核"})).json()
    assert (reopened["state"], reopened["owner"]) == ("new", None)
    view = (await api.get(f"/alerts/{alert_id}", *ANNA)).json()
    assert [(each["change"], each.get("reason")) for each in view["history"]] == [
        ("raised", None),
        ("acknowledged", None),
        ("verified", "证件相符"),
        ("closed", "移交"),
        ("reopened", "再核"),
    ]
    assert view["history"][0]["by"] == "system"
    events = [type_.split(".")[2] for type_, _value in await emitted(db, topics.ALERTS_ALERTS)]
    assert events == ["alert-raised", "alert-acknowledged", "alert-verified", "alert-closed", "alert-reopened"]


async def test_six_officers_at_once(api: Api, alert_id: str) -> None:
    """One 200, five 409 that name the owner."""
    names = [f"值班{n}" for n in range(6)]
    answers = await asyncio.gather(
        *(step(api, alert_id, "acknowledgement", {}, ("duty_officer", "command-centre", name)) for name in names)
    )
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409, 409, 409]
    winner = next(each.json()["owner"] for each in answers if each.status_code == 200)
    for each in answers:
        if each.status_code == 409:
            problem = each.json()
            assert problem["type"] == "urn:anju:problem:already-acknowledged"
            assert (problem["state"], problem["owner"]) == ("acknowledged", winner)


async def test_the_same_step_by_the_same_officer_is_200_as_before_and_no_new_entry(api: Api, alert_id: str) -> None:
    """Under another key too: an officer who pressed twice."""
    steps = [
        ("acknowledgement", {}),
        ("verification", {"result": "false_match", "reason": "非本人"}),
        ("closure", {"outcome": "not_confirmed", "reason": "办结"}),
        ("reopening", {"reason": "再核"}),
    ]
    for name, body in steps:
        first = await step(api, alert_id, name, body)
        second = await step(api, alert_id, name, body)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
    view = (await api.get(f"/alerts/{alert_id}", *ANNA)).json()
    assert len(view["history"]) == 5


async def test_taking_over_needs_a_reason(api: Api, alert_id: str) -> None:
    """Without: 409. With: the owner changes, the clock runs on."""
    first = (await step(api, alert_id, "acknowledgement", {})).json()
    assert (await step(api, alert_id, "acknowledgement", {}, BO)).status_code == 409
    over = (await step(api, alert_id, "acknowledgement", {"reason": "换班"}, BO)).json()
    assert (over["owner"], over["due_at"]) == (api.provider.subject(*BO), first["due_at"])


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("verification", {"result": "true_match", "reason": "r"}, "not-acknowledged"),
        ("closure", {"outcome": "resolved", "reason": "r"}, "not-verified"),
        ("reopening", {"reason": "r"}, "not-closed"),
    ],
)
async def test_a_step_too_early_is_409_with_the_state(
    api: Api, alert_id: str, name: str, body: dict[str, Any], code: str
) -> None:
    """The table allows it not."""
    response = await step(api, alert_id, name, body)
    assert response.status_code == 409
    assert response.json()["type"] == f"urn:anju:problem:{code}"
    assert (response.json()["state"], response.json()["owner"]) == ("new", None)


async def test_a_test_alert_is_closed_straight_away(api: Api, alert_id: str) -> None:
    """Only with outcome `test`."""
    response = await step(api, alert_id, "closure", {"outcome": "test", "reason": "演练"})
    assert (response.status_code, response.json()["state"]) == (200, "closed")


async def test_escalation_and_notes_stand_beside_the_state(api: Api, alert_id: str) -> None:
    """The level rises, the state stays; a note is in the history."""
    escalated = (await step(api, alert_id, "escalation", {"reason": "无人接警"})).json()
    assert (escalated["state"], escalated["escalation_level"]) == ("new", 1)
    assert (await step(api, alert_id, "notes", {"text": "已电话通知"})).status_code == 200
    history = (await api.get(f"/alerts/{alert_id}", *ANNA)).json()["history"]
    assert [(each["change"], each.get("reason")) for each in history[1:]] == [
        ("escalated", "无人接警"),
        ("noted", "已电话通知"),
    ]


BAD_STEPS: list[tuple[str, dict[str, Any], str]] = [
    ("verification", {"result": "guilty", "reason": "r"}, "/result"),
    ("verification", {"result": "confirmed", "reason": "r"}, "/result"),
    ("verification", {"result": "true_match"}, "/reason"),
    ("verification", {"result": "true_match", "reason": " "}, "/reason"),
    ("closure", {"outcome": "done", "reason": "r"}, "/outcome"),
    ("escalation", {}, "/reason"),
    ("notes", {"text": ""}, "/text"),
    ("notes", {"text": "x" * 2001}, "/text"),
]


async def test_a_bad_step_names_its_field(api: Api, alert_id: str) -> None:
    """422, nothing happens."""
    await step(api, alert_id, "acknowledgement", {})
    for name, body, pointer in BAD_STEPS:
        response = await step(api, alert_id, name, body)
        assert response.status_code == 422, name
        assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert len((await api.get(f"/alerts/{alert_id}", *ANNA)).json()["history"]) == 2


async def test_an_alert_says_what_where_why_and_what_to_do(api: Api, alert_id: str, db: Database) -> None:
    """All fields of interfaces.md, steps in the reader's language, the address once housing told it."""
    async with db.transaction() as tx:
        await keep_place(tx, Place(PREMISES, "hotel", "柳堤街道湖滨路 1 号", "330199001"), (1, 1))
    view = (await api.get(f"/alerts/{alert_id}", *ANNA)).json()
    assert {
        "alert_id",
        "number",
        "source",
        "notice_id",
        "kind",
        "severity",
        "state",
        "due_at",
        "premises_id",
        "stay_id",
        "room",
        "division_code",
        "occurred_at",
        "raised_at",
        "owner",
        "escalation_level",
        "facts",
        "steps",
        "history",
    } <= set(view)
    assert view["address"] == "柳堤街道湖滨路 1 号"
    assert view["notice"]["instructions"] == "两名民警到场。"
    assert view["steps"]
    assert UUID(view["alert_id"]).version == 7
    assert datetime.fromisoformat(view["raised_at"]).tzinfo is not None


async def test_the_subject_of_an_alerts_notice_takes_purpose_and_this_alert_as_case(
    api: Api, alert_id: str, db: Database
) -> None:
    """Another case is 403, none shows no person, and each look is logged."""
    path = f"/alerts/{alert_id}"
    assert "subject" not in (await api.get(path, *ANNA)).json()
    shown = (await api.get(path, *ANNA, purpose="notice_verification", case=alert_id)).json()
    assert shown["subject"]["name"] == "陈某"
    assert (await api.get(path, *ANNA, purpose="notice_verification", case="other")).status_code == 403
    assert (await api.get(path, *ANNA, purpose="oversight", case=alert_id)).status_code == 403
    async with db.read() as tx:
        rows = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "alert.subject-read"))
    assert [(row.actor, row.case) for row in rows] == [(api.provider.subject(*ANNA), alert_id)]


async def test_lists_filter_and_page_and_name_their_place_in_the_stream(
    api: Api, desk: NoticeDesk, matcher: Matcher
) -> None:
    """By state, severity and division; newest first; each alert once over the pages."""
    await desk.activate("1")
    for n in range(5):
        await matcher.read(stay_event(token_of("1"), division_code=f"33019900{n % 2 + 1}"))
    everything = (await api.get("/alerts", *ANNA)).json()
    assert everything["stream_position"] == 5
    assert [each["number"][-4:] for each in everything["items"]] == ["0005", "0004", "0003", "0002", "0001"]
    first = (await api.get("/alerts", *ANNA, limit=3)).json()
    second = (await api.get("/alerts", *ANNA, limit=3, cursor=first["next"])).json()
    assert first["items"] + second["items"] == everything["items"]
    assert second["next"] is None
    assert len((await api.get("/alerts", *ANNA, division="330199002")).json()["items"]) == 2
    assert len((await api.get("/alerts", *ANNA, severity=["critical", "info"])).json()["items"]) == 5
    assert (await api.get("/alerts", *ANNA, severity="info")).json()["items"] == []
    assert (await api.get("/alerts", *ANNA, state="closed")).json()["items"] == []
    for wrong in ({"state": "open"}, {"severity": "high"}, {"division": "abc"}, {"cursor": "!"}, {"limit": 101}):
        assert (await api.get("/alerts", *ANNA, **wrong)).status_code == 422


async def test_other_roles_have_no_part_in_alerts(api: Api, alert_id: str) -> None:
    """403 for list, alert, stream and steps."""
    for role in ("clerk", "notice_author", "notice_approver", "overseer", "manager", "administrator"):
        await _is_kept_out(api, alert_id, role)


async def _is_kept_out(api: Api, alert_id: str, role: str) -> None:
    for path in ("/alerts", f"/alerts/{alert_id}", "/alerts/stream"):
        assert (await api.get(path, role, "city")).status_code == 403
    assert (await api.post(f"/alerts/{alert_id}/acknowledgement", {}, role, "city")).status_code == 403


async def test_what_is_not_there_is_404(api: Api) -> None:
    """An unknown id, and what is none."""
    assert (await api.get(f"/alerts/{uuid4()}", *ANNA)).status_code == 404
    assert (await api.get("/alerts/abc", *ANNA)).status_code == 404
    assert (await api.post(f"/alerts/{uuid4()}/notes", {"text": "x"}, *ANNA)).status_code == 404


async def test_what_officers_write_is_sealed_in_the_database(api: Api, alert_id: str, db: Database) -> None:
    """Reasons and notes hold names: no table has them in the clear."""
    await step(api, alert_id, "notes", {"text": "门卫称张某昨夜未归"})
    async with db.read() as tx:
        found = await tx.scalar(sa.text("SELECT count(*) FROM alert_changes t WHERE t::text LIKE '%张某%'"))
        kept = await tx.scalar(sa.text("SELECT count(*) FROM idempotency_keys t WHERE t::text LIKE '%张某%'"))
    assert (found, kept) == (0, 0)


async def test_an_acknowledgement_needs_no_body(api: Api, alert_id: str) -> None:
    """Its one field is optional: nothing sent is nothing said."""
    headers = api.provider.headers(*ANNA) | {"idempotency-key": str(uuid4())}
    response = await api.http.post(f"/api/v1/alerts/{alert_id}/acknowledgement", headers=headers)
    assert (response.status_code, response.json().get("state")) == (200, "acknowledged")
