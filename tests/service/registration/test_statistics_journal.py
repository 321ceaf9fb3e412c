"""Random, late, repeated and corrected commands through the API: what reporting keeps equals counting all stays anew.

ANJU_SHOWS=full sends 20,000 of them, CI some hundred. Reporting gets the records in any order, and some again.
"""

import os
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiokafka import ConsumerRecord

from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.states import StateRecord
from chassis.events.tables import outbox
from services.registration.domain.stays import CITY
from services.registration.storage.tables import stays
from services.registration.use_cases.publish_statistics import publish_statistics
from services.reporting.consumers import subscription
from services.reporting.domain.read_models import Owner
from services.reporting.storage.tables import registration_days
from tests.parts import Postgres
from tests.service.registration.conftest import FLAT, HOTEL, Desk, arrival, now

pytestmark = pytest.mark.postgres
FULL = os.environ.get("ANJU_SHOWS") == "full"
COMMANDS = 20_000 if FULL else 250
PUBLISH_EVERY = 40
DAYS = 20
TOPIC = "registration.statistics"
Key = tuple[str, str, Any]


@dataclass
class Entered:
    """A stay as the desk entered it last."""

    stay_id: str
    desk: Desk
    arrived_at: datetime
    departed_at: datetime | None = None


@pytest.fixture
async def kept(postgres: Postgres) -> AsyncIterator[Database]:
    """Reporting's read models, empty."""
    dsn = await postgres.new_database()
    await migrate(dsn, "reporting")
    database = Database(dsn, service="reporting")
    yield database
    await database.dispose()


async def command(chance: random.Random, clerk: Desk, entered: list[Entered], at: datetime) -> None:
    """One command of a desk: an arrival, sometimes sent twice; a departure, sometimes again; a correction."""
    what = chance.random()
    if what < 0.5 or not entered:
        place, desk, kind, basis, room = chance.choice(
            [
                (HOTEL, clerk, "hotel_guest", "hotel_register", "0801"),
                (HOTEL, clerk, "other", "residence_registration", "0802"),
                (FLAT, replace(clerk, unit="station-02"), "tenant", "rental_register", "1"),
            ]
        )
        arrived = at - timedelta(minutes=chance.randrange(60, DAYS * 24 * 60))
        body = {"premises_id": str(place.premises_id), "room": room, "kind": kind, "legal_basis": basis}
        sent, key = arrival(**body, arrived_at=arrived.isoformat()), str(uuid4())
        answers = [await desk.post("/arrivals", sent, key=key) for _ in range(chance.choice([1, 1, 2]))]
        assert {each.status_code for each in answers} == {201}, answers[0].text
        assert len({each.json()["stay_id"] for each in answers}) == 1
        entered.append(Entered(answers[0].json()["stay_id"], desk, arrived))
        return
    stay = chance.choice(entered)
    path = f"/stays/{stay.stay_id}"
    if what < 0.8:
        departed = stay.arrived_at + (at - stay.arrived_at) * chance.random()
        answer = await stay.desk.post(f"{path}/departure", {"departed_at": departed.isoformat()})
        assert answer.status_code == (409 if stay.departed_at else 200), answer.text
        stay.departed_at = stay.departed_at or departed
        return
    field, latest = ("departed_at", at) if stay.departed_at and what > 0.9 else ("arrived_at", stay.departed_at or at)
    earliest = stay.arrived_at if field == "departed_at" else at - timedelta(days=DAYS)
    value = earliest + (latest - earliest) * chance.random()
    sent = {"field": field, "value": value.isoformat(), "reason": "登记簿"}
    answer = await stay.desk.post(f"{path}/corrections", sent)
    assert answer.status_code == 201, answer.text
    setattr(stay, field, value)


async def counted_anew(db: Database) -> dict[Key, tuple[int, ...]]:
    """Return registered, arrivals, departures, on time and late of each day with any, from the stays alone."""
    async with db.read() as tx:
        rows = await tx.all(sa.select(stays))

    def day(moment: datetime | None) -> Any:
        return moment.astimezone(CITY).date() if moment else None

    days = {day(each) for row in rows for each in (row.arrived_at, row.departed_at) if each}
    found: dict[Key, tuple[int, ...]] = {}
    for division, kind in {(row.division_code, row.kind) for row in rows}:
        own = [row for row in rows if (row.division_code, row.kind) == (division, kind)]
        for on in days:
            came = [row for row in own if day(row.arrived_at) == on]
            left = [row for row in own if day(row.departed_at) == on]
            here = [
                row for row in own if day(row.arrived_at) <= on and not (row.departed_at and day(row.departed_at) <= on)
            ]
            late = sum(row.days_late > 0 for row in came)
            found[division, kind, on] = (len(here), len(came), len(left), len(came) - late, late)
    return found


async def publish(db: Database) -> None:
    async with db.transaction() as tx:
        await publish_statistics(tx, now())


async def take(kept: Database, records: Sequence[Any]) -> None:
    """Apply records as reporting's worker does: in batches, of each key one."""
    batch: dict[str, StateRecord] = {}

    async def apply() -> None:
        async with kept.transaction() as tx:
            await subscription(Owner.REGISTRATION).apply(tx, list(batch.values()))
        batch.clear()

    for row in records:
        if row.key in batch:
            await apply()
        name, value = row.key.encode(), row.value
        batch[row.key] = StateRecord(ConsumerRecord(TOPIC, 0, 0, 0, 0, name, value, None, len(name), len(value), ()))
    await apply()


@pytest.mark.timeout(7200 if FULL else 180)
async def test_what_reporting_keeps_equals_counting_all_stays_anew(clerk: Desk, db: Database, kept: Database) -> None:
    chance = random.Random(20)
    begin = datetime.now(UTC)
    entered: list[Entered] = []
    for number in range(COMMANDS):
        await command(chance, clerk, entered, begin)
        if number % PUBLISH_EVERY == 0:
            await publish(db)
    await publish(db)
    async with db.read() as tx:
        rows = await tx.all(sa.select(outbox.c.key, outbox.c.value).where(outbox.c.topic == TOPIC))
        times = {str(row.stay_id): (row.arrived_at, row.departed_at) for row in await tx.all(sa.select(stays))}
    assert times == {each.stay_id: (each.arrived_at, each.departed_at) for each in entered}
    records = [*rows, *chance.sample(list(rows), len(rows) // 3)]
    chance.shuffle(records)
    await take(kept, records)
    naive = await counted_anew(db)
    async with kept.read() as tx:
        found: dict[Key, tuple[int, ...]] = {
            (row.division_code, row.kind, row.day): (
                row.registered,
                row.arrivals,
                row.departures,
                row.on_time,
                row.late,
            )
            for row in await tx.all(sa.select(registration_days))
        }
    standing: dict[tuple[str, str], int] = {}
    for division, kind, day in sorted(naive):
        before = (standing.get((division, kind), 0), 0, 0, 0, 0)
        here = found.get((division, kind, day), before)
        standing[division, kind] = here[0]
        assert here == naive[division, kind, day], (division, kind, day)
    assert {key for key, its in found.items() if any(its[1:])} <= naive.keys()
