"""Alerts forgets in time: each class just after its term, never before, and nothing that is still needed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database
from chassis.web.streams import Event
from contracts import envelope
from services.alerts.domain.notices import Notice
from services.alerts.storage.tables import statistics
from services.alerts.stream import AlertFeed
from services.alerts.use_cases import forget_expired
from services.alerts.use_cases.publish_statistics import publish_statistics
from tests.service.alerts.callers import OFFICER, Api
from tests.service.alerts.conftest import (
    AUTHOR,
    KEYRING,
    PREMISES,
    Matcher,
    NoticeDesk,
    alert_rows,
    changes_of,
    now,
    stay_event,
    token_of,
)
from tests.service.alerts.dwellings import headcount, premises, tell_headcounts, tell_premises
from tests.service.travel import Traveller

pytestmark = pytest.mark.postgres
BLOCKED = (("fire_exits", "imminent"),)
ELSEWHERE = UUID("01936000-0000-7000-8000-000000000002")
SOON = timedelta(minutes=5)


@pytest.fixture
def traveller(db: Database) -> Traveller:
    return Traveller(db, forget_expired.removals(KEYRING))


async def close(api: Api, alert_id: UUID, outcome: str = "handed_over") -> None:
    """Take an alert all the way."""
    for name, body in (
        ("acknowledgement", {}),
        ("verification", {"result": "true_match", "reason": "证件相符"}),
        ("closure", {"outcome": outcome, "reason": "移交"}),
    ):
        answer = await api.post(f"/alerts/{alert_id}/{name}", body, *OFFICER)
        assert answer.status_code == 200, answer.text


async def matched(db: Database, desk: NoticeDesk, matcher: Matcher, number: str, stay_id: UUID) -> tuple[Notice, UUID]:
    """A live notice and the alert of a stay that it met."""
    notice = await desk.activate(number)
    await matcher.read(stay_event(token_of(number), stay_id))
    (found,) = [row.alert_id for row in await alert_rows(db) if row.notice_id == notice.notice_id]
    return notice, found


async def count_days(db: Database, at: datetime) -> list[tuple[object, ...]]:
    async with db.transaction() as tx:
        await publish_statistics(tx, at)
    async with db.read() as tx:
        key = (statistics.c.division_code, statistics.c.kind, statistics.c.day)
        return [tuple(row) for row in await tx.all(sa.select(*key, statistics.c.counts).order_by(*key))]


async def test_a_notice_and_its_alert_are_forgotten_step_by_step(
    db: Database, desk: NoticeDesk, matcher: Matcher, api: Api, traveller: Traveller
) -> None:
    began, stay = now(), uuid4()
    notice, alert = await matched(db, desk, matcher, "1", stay)
    token = token_of("1").value
    await close(api, alert)
    await desk.withdraw(notice)
    ended = now()
    figures = await count_days(db, ended)
    assert len(figures) == 1
    await traveller.send_outbox()

    await traveller.before("outbox", began - SOON)
    assert "outbox" in await traveller.holding(token)
    await traveller.after("outbox", ended)
    # Answers are kept longer than events: they hold no token.
    assert await traveller.holding(token) == {"notice_terms"}
    await traveller.before("notice_token", began)
    assert await traveller.holding(token) == {"notice_terms"}
    await traveller.after("notice_token", ended)
    assert await traveller.holding(token) == set()
    # Nobody can tell any more whether a correction breaks the match: the closed alert stays as it was.
    history = await changes_of(db, alert)
    await matcher.read(stay_event(token_of("9"), stay, type_=envelope.STAY_CORRECTED))
    await matcher.read(stay_event(token_of("1"), stay, type_=envelope.STAY_CORRECTED))
    assert await changes_of(db, alert) == history
    assert (await api.get(f"/notices/{notice.notice_id}", "overseer", "city")).status_code == 200
    assert (await api.get(f"/alerts/{alert}", *OFFICER)).status_code == 200

    await traveller.before("alert", began)
    assert await traveller.holding(alert) >= {"alerts", "alert_changes", "subject_keys"}
    assert "alerts" in await traveller.holding(stay)
    await traveller.after("alert", ended)
    assert await traveller.holding(alert) <= {"audit_entries"}
    assert await traveller.holding(stay) == set()
    assert (await api.get(f"/alerts/{alert}", *OFFICER)).status_code == 404
    await traveller.before("notice", began)
    assert await traveller.holding(notice.notice_id) == {
        "notices",
        "notice_terms",
        "notice_changes",
        "subject_keys",
        "audit_entries",
    }
    end = await traveller.after("notice", ended)
    await traveller.after("read_log", ended)
    for what in (notice.notice_id, alert, stay, token, AUTHOR.subject, PREMISES):
        assert await traveller.holding(what) == set(), what
    assert await audit.verify(db, KEYRING) == audit.ChainReport(0)
    assert await count_days(db, end) == figures


async def test_what_is_needed_stays_however_old(
    db: Database, desk: NoticeDesk, matcher: Matcher, api: Api, traveller: Traveller
) -> None:
    """An open alert and its ended notice; a closed alert of a live notice, which would be raised again."""
    stay = uuid4()
    worked_on, open_alert = await matched(db, desk, matcher, "1", uuid4())
    await desk.withdraw(worked_on)
    live, closed_alert = await matched(db, desk, matcher, "2", stay)
    await close(api, closed_alert)
    await traveller.forget(now() + timedelta(days=4000))
    assert await traveller.holding(open_alert) >= {"alerts", "alert_changes"}
    assert await traveller.holding(worked_on.notice_id) >= {"notices", "notice_terms", "subject_keys"}
    assert "notice_terms" in await traveller.holding(token_of("2").value)
    assert await traveller.holding(closed_alert) >= {"alerts", "alert_changes"}
    await matcher.read(stay_event(token_of("2"), stay, type_=envelope.PERSON_PRESENT))
    assert [row.alert_id for row in await alert_rows(db) if row.notice_id == live.notice_id] == [closed_alert]


async def test_a_closed_alert_of_a_rule_stays_while_its_facts_do(db: Database, api: Api, traveller: Traveller) -> None:
    await tell_headcounts(db, headcount(1, 3))
    await tell_premises(db, premises(1, BLOCKED))
    (row,) = await alert_rows(db)
    answer = await api.post(f"/alerts/{row.alert_id}/closure", {"outcome": "test", "reason": "演练"}, *OFFICER)
    assert answer.status_code == 200, answer.text
    later = now() + timedelta(days=4000)
    await traveller.forget(later)
    assert [each.alert_id for each in await alert_rows(db)] == [row.alert_id]
    await tell_premises(db, premises(2))
    await traveller.forget(later)
    assert await alert_rows(db) == []


async def test_a_department_is_told_for_as_long_as_its_topic_keeps(db: Database, traveller: Traveller) -> None:
    """Thirty days; of a case that is open its last event longer, since the next one goes on from it."""
    began = now()
    await tell_headcounts(db, headcount(1, 3), headcount(1, 3, ELSEWHERE))
    await tell_premises(db, premises(1, BLOCKED), premises(1, BLOCKED, ELSEWHERE))
    await tell_headcounts(db, headcount(2, 2))
    await tell_premises(db, premises(2, (), ELSEWHERE))
    assert await traveller.count("department_events") == 4
    await traveller.before("department_event", began)
    assert await traveller.count("department_events") == 4
    await traveller.after("department_event", now())
    async with db.read() as tx:
        (left,) = await tx.all(sa.text("SELECT value FROM department_events"))
    assert (left.value["premises_id"], left.value["headcount"], left.value["state"]) == (str(PREMISES), 2, "open")
    await tell_headcounts(db, headcount(3, 1))
    async with db.read() as tx:
        last = (await tx.all(sa.text("SELECT value FROM department_events ORDER BY position DESC LIMIT 1")))[0]
    assert last.value["since"] == left.value["since"]


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    async with asyncio.timeout(30):
        return [await anext(events) for _n in range(count)]


async def test_who_comes_back_from_before_a_forgotten_change_begins_anew(
    db: Database, desk: NoticeDesk, matcher: Matcher, api: Api, traveller: Traveller
) -> None:
    """Else it would believe that it has seen everything, or wait for what is no more."""
    notice, alert = await matched(db, desk, matcher, "1", uuid4())
    await matched(db, desk, matcher, "2", uuid4())
    await close(api, alert)
    await desk.withdraw(notice)
    await traveller.after("alert", now())
    feed = AlertFeed(db)
    task = asyncio.create_task(feed.run())
    try:
        for after in (0, 1, 4):
            (reset,) = await take(await feed.open(after), 1)
            assert (reset.event, reset.id) == ("reset", "5")
        events: Any = await feed.open(5)
        await matched(db, desk, matcher, "3", uuid4())
        (raised,) = await take(events, 1)
        assert (raised.event, raised.id) == ("alert", "6")
    finally:
        task.cancel()
        await asyncio.wait([task])
