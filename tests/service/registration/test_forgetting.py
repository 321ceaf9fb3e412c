"""Registration forgets in time: each class just after its term, never before, and nothing that is still needed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database
from chassis.data.tables import subject_keys
from services.registration.domain.stays import CITY
from services.registration.storage.tables import persons, statistics, stays, token_requests
from services.registration.use_cases import forget_expired
from services.registration.use_cases.note_alert import note_alert
from services.registration.use_cases.publish_statistics import publish_statistics
from tests.service.registration.conftest import KEYRING, PEOPLE, Desk, now
from tests.service.travel import Traveller

pytestmark = pytest.mark.postgres
ALERT = UUID("01934000-0000-7000-8000-00000000000a")


@pytest.fixture
def traveller(db: Database) -> Traveller:
    return Traveller(db, forget_expired.removals(KEYRING))


async def depart(clerk: Desk, stay_id: str) -> datetime:
    at = now()
    answer = await clerk.post(f"/stays/{stay_id}/departure", {"departed_at": at.isoformat()})
    assert answer.status_code == 200, answer.text
    return at


async def person_of(db: Database, stay_id: str) -> UUID:
    async with db.read() as tx:
        person: UUID = await tx.scalar(sa.select(stays.c.person_id).where(stays.c.stay_id == UUID(stay_id)))
    return person


async def alert(db: Database, stay_id: str, state: str, at: datetime) -> None:
    async with db.transaction() as tx:
        await note_alert(tx, alert_id=ALERT, stay_id=UUID(stay_id), state=state, changed_at=at)


async def figures(db: Database, at: datetime) -> set[tuple[object, ...]]:
    """Every day's counts once all changes are added up, up to the present day."""
    async with db.transaction() as tx:
        await publish_statistics(tx, at)
    async with db.read() as tx:
        counts = (statistics.c.arrivals, statistics.c.departures, statistics.c.late, statistics.c.registered)
        key = (statistics.c.day, statistics.c.division_code, statistics.c.kind)
        today = now().astimezone(CITY).date()
        return {tuple(row) for row in await tx.all(sa.select(*key, *counts).where(statistics.c.day <= today))}


async def test_a_person_is_forgotten_step_by_step(clerk: Desk, db: Database, traveller: Traveller) -> None:
    gone, stays_on = (await clerk.arrive())["stay_id"], (await clerk.arrive())["stay_id"]
    mistaken = await person_of(db, gone)
    body = {"field": "document", "value": PEOPLE.document(), "reason": "看错了"}
    assert (await clerk.post(f"/stays/{gone}/corrections", body)).status_code == 201
    person = await person_of(db, gone)
    # Nobody is that person any more: forgotten with the correction, not a year after it.
    assert await traveller.holding(mistaken) == set()
    assert (await clerk.get(f"/stays/{gone}")).status_code == 200
    left = await depart(clerk, gone)
    await alert(db, gone, "new", left)
    today = await figures(db, now())
    assert len(today) == 1
    await traveller.send_outbox()

    began = now()
    await traveller.before("outbox", left - timedelta(minutes=5))
    assert "outbox" in await traveller.holding(UUID(gone))
    await traveller.after("outbox", began)
    assert await traveller.count("outbox") == 0
    await traveller.before("idempotency", left - timedelta(minutes=5))
    assert "idempotency_keys" in await traveller.holding(UUID(gone))
    await traveller.after("idempotency", began)
    assert await traveller.count("idempotency_keys") == 0

    await traveller.before("stay", left)
    there = {"stays", "corrections", "stay_alerts", "audit_entries"}
    assert await traveller.holding(UUID(gone)) == there
    assert await traveller.holding(person) == {"stays", "corrections", "persons", "subject_keys", "audit_entries"}
    # Somebody still works on its alert.
    later = await traveller.after("stay", left)
    assert await traveller.holding(UUID(gone)) == there
    await alert(db, gone, "closed", later)
    await traveller.forget(later)
    assert await traveller.holding(UUID(gone)) == {"stay_alerts", "audit_entries"}
    assert await traveller.holding(person) == {"audit_entries"}
    await traveller.before("stay_alert", later)
    assert await traveller.count("stay_alerts") == 1
    await traveller.after("stay_alert", later)
    assert await traveller.count("stay_alerts") == 0

    await traveller.before("read_log", left - timedelta(minutes=5))
    assert await traveller.holding(person) == {"audit_entries"}
    assert (await audit.verify(db, KEYRING)).rows > 0
    end = await traveller.after("read_log", began)
    for what in (UUID(gone), person, ALERT, clerk.subject):
        # The open stay names the officer who registered it.
        assert await traveller.holding(what) == ({"stays"} if what == clerk.subject else set())
    assert await traveller.holding(UUID(stays_on)) == {"stays"}
    assert await audit.verify(db, KEYRING) == audit.ChainReport(0)
    assert await figures(db, end) == today


async def test_how_many_tokens_an_author_asked_for_is_forgotten(
    clerk: Desk, db: Database, traveller: Traveller
) -> None:
    desk = replace(clerk, role="service", unit="", name="alerts", why={})
    for author in ("author-1", "author-2"):
        asked = {"anju-on-behalf-of": author}
        assert (await desk.post("/matching-tokens", {"document": PEOPLE.document()}, **asked)).status_code == 200
    async with db.read() as tx:
        hour: datetime = await tx.scalar(sa.select(sa.func.max(token_requests.c.hour)))
    await traveller.before("token_request", hour - timedelta(hours=1))
    assert await traveller.count("token_requests") == 2
    await traveller.after("token_request", hour)
    assert await traveller.count("token_requests") == 0


async def test_a_person_stays_with_another_stay(clerk: Desk, db: Database, traveller: Traveller) -> None:
    somebody = PEOPLE.person()
    old = (await clerk.arrive(person=somebody))["stay_id"]
    new = (await clerk.arrive(person=somebody, room="0802"))["stay_id"]
    person = await person_of(db, old)
    end = await traveller.after("stay", await depart(clerk, old))
    assert await traveller.holding(UUID(old)) <= {"outbox", "idempotency_keys"}
    assert await traveller.holding(person) >= {"stays", "persons", "subject_keys"}
    assert (await clerk.get(f"/stays/{new}")).json()["person"]["name"] == somebody["name"]
    assert await person_of(db, new) == person
    await traveller.forget(end)
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(persons)) == 1


async def test_whoever_comes_back_while_being_forgotten_is_there(
    clerk: Desk, db: Database, traveller: Traveller
) -> None:
    """Before or after, never between: no arrival fails, no stay is without its person or its key."""
    people = [PEOPLE.person() for _ in range(4)]
    first = [(await clerk.arrive(person=each, room="0801"))["stay_id"] for each in people]
    ended = [await depart(clerk, stay_id) for stay_id in first][-1]
    past = datetime(2029, 1, 1, tzinfo=UTC)
    assert past > ended + timedelta(days=400)
    back = [clerk.arrive(person=each, room="0801") for each in people]
    answers = await asyncio.gather(*back, *(traveller.forget(past) for _ in range(2)), return_exceptions=False)
    await traveller.forget(past)
    again = [answer["stay_id"] for answer in answers[:4] if answer]
    assert len(again) == 4
    for stay_id, each in zip(again, people, strict=True):
        assert (await clerk.get(f"/stays/{stay_id}")).json()["person"]["name"] == each["name"]
    async with db.read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(stays)) == 4
        assert await tx.scalar(sa.select(sa.func.count()).select_from(persons)) == 4
        assert await tx.scalar(sa.select(sa.func.count()).select_from(subject_keys)) == 4
