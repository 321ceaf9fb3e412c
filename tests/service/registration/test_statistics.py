"""The counts of days that registration publishes, and that they equal counting all stays anew."""

import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from chassis.data.db import Database
from services.registration.domain.premises import Premises
from services.registration.domain.statistics import changes
from services.registration.domain.stays import CITY, LegalBasis, Stay, StayKind
from services.registration.storage import statistics
from services.registration.storage.tables import statistics as table
from services.registration.use_cases.publish_statistics import publish_statistics
from tests.service.registration.conftest import HOTEL, PEOPLE, Desk, arrival, emitted, now

TOPIC = "registration.statistics"


async def publish(db: Database, at: datetime) -> int:
    async with db.transaction() as tx:
        return await publish_statistics(tx, at)


async def last(db: Database) -> dict[str, dict[str, Any]]:
    """The newest record of each key, and that each is newer than the one before it."""
    newest: dict[str, dict[str, Any]] = {}
    for each in await emitted(db, TOPIC):
        number = int(each["version"].partition(".")[2])
        assert number == int(newest.get(each["key"], {"version": "1.0"})["version"].partition(".")[2]) + 1
        newest[each["key"]] = each
    return newest


def counts(record: dict[str, Any]) -> tuple[int, int, int, int]:
    assert record["timeliness"]["on_time"] + record["timeliness"]["late"] == record["arrivals"]
    return record["registered"], record["arrivals"], record["departures"], record["timeliness"]["late"]


async def test_arrival_departure_and_correction_move_the_counts_of_their_days(clerk: Desk, db: Database) -> None:
    at = now()
    today = at.astimezone(CITY).date()
    days = [today - timedelta(days=back) for back in range(5)]
    noon = {day: datetime(day.year, day.month, day.day, 12, tzinfo=CITY) for day in days[1:]}
    stay = await clerk.arrive(arrived_at=noon[days[2]].isoformat())
    await clerk.arrive(arrived_at=noon[days[2]].isoformat())
    await clerk.arrive(arrived_at=at.isoformat())
    await publish(db, at)
    key = f"{{}}/{HOTEL.division_code}/hotel_guest"
    assert {k: counts(v) for k, v in (await last(db)).items()} == {
        key.format(days[2]): (2, 2, 0, 2),
        key.format(today): (3, 1, 0, 0),
    }
    departed = await clerk.post(f"/stays/{stay['stay_id']}/departure", {"departed_at": noon[days[1]].isoformat()})
    assert departed.status_code == 200
    await publish(db, at)
    assert {k: counts(v) for k, v in (await last(db)).items()} == {
        key.format(days[2]): (2, 2, 0, 2),
        key.format(days[1]): (1, 0, 1, 0),
        key.format(today): (2, 1, 0, 0),
    }
    moved = {"field": "arrived_at", "value": noon[days[3]].isoformat(), "reason": "登记簿"}
    assert (await clerk.post(f"/stays/{stay['stay_id']}/corrections", moved)).status_code == 201
    await publish(db, at)
    assert {k: counts(v) for k, v in (await last(db)).items()} == {
        key.format(days[3]): (1, 1, 0, 1),
        key.format(days[2]): (2, 1, 0, 1),
        key.format(days[1]): (1, 0, 1, 0),
        key.format(today): (2, 1, 0, 0),
    }
    assert await publish(db, at) == 0


async def test_a_refused_arrival_counts_nowhere(clerk: Desk, db: Database) -> None:
    assert (await clerk.post("/arrivals", arrival(room="9999"))).status_code == 422
    assert await publish(db, now()) == 0


async def test_a_day_without_events_begins_with_who_is_registered(clerk: Desk, db: Database) -> None:
    await clerk.arrive()
    at = now()
    await publish(db, at)
    tomorrow = at + timedelta(days=1)
    assert await publish(db, tomorrow) == 1
    assert await publish(db, tomorrow) == 0
    record = (await last(db))[f"{tomorrow.astimezone(CITY).date()}/{HOTEL.division_code}/hotel_guest"]
    assert counts(record) == (1, 0, 0, 0)


def a_stay(chance: random.Random, begin: datetime) -> Stay:
    arrived = begin + timedelta(hours=chance.randrange(24 * 20))
    return Stay(
        stay_id=uuid4(),
        person_id=uuid4(),
        person=None,  # type: ignore[arg-type]  # nobody: a count needs no person
        guardian=None,
        premises_id=uuid4(),
        division_code=chance.choice(["330199001", "330199002001"]),
        room="1",
        kind=chance.choice([StayKind.TENANT, StayKind.HOTEL_GUEST]),
        legal_basis=LegalBasis.RENTAL_REGISTER,
        arrived_at=arrived,
        expected_until=None,
        departed_at=None,
        registered_at=begin,
        registered_unit="station-01",
        receipt_number="",
        days_late=chance.choice([0, 0, 3]),
    )


def counted_anew(stays: list[Stay], days: list[date]) -> dict[tuple[str, str, date], tuple[int, int, int, int]]:
    naive: dict[tuple[str, str, date], tuple[int, int, int, int]] = {}
    for division, kind in {(one.division_code, one.kind.value) for one in stays}:
        own = [one for one in stays if (one.division_code, one.kind.value) == (division, kind)]
        for day in days:
            arrived = [one for one in own if one.arrived_at.astimezone(CITY).date() == day]
            gone = [one for one in own if one.departed_at and one.departed_at.astimezone(CITY).date() == day]
            here = [
                one
                for one in own
                if one.arrived_at.astimezone(CITY).date() <= day
                and (one.departed_at is None or one.departed_at.astimezone(CITY).date() > day)
            ]
            naive[(division, kind, day)] = (len(here), len(arrived), len(gone), sum(x.days_late > 0 for x in arrived))
    return naive


async def test_random_late_corrected_and_annulled_stays_equal_counting_anew(db: Database) -> None:
    chance = random.Random(5)
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    days = [date(2026, 10, 25) + timedelta(days=n) for n in range(45)]
    stays: list[Stay] = []
    for _round in range(12):
        async with db.transaction() as tx:
            for _ in range(40):
                what = chance.random()
                before = chance.choice(stays) if stays and what > 0.5 else None
                after: Stay | None
                if before is None:
                    after = a_stay(chance, begin)
                elif what > 0.95:
                    after = None
                elif before.departed_at is None and what > 0.75:
                    after = replace(before, departed_at=before.arrived_at + timedelta(hours=chance.randrange(90)))
                else:
                    moved = before.arrived_at - timedelta(hours=chance.randrange(60))
                    after = replace(before, arrived_at=moved, days_late=chance.choice([0, 2]))
                await statistics.note(tx, changes(before, after))
                stays = [each for each in stays if each is not before] + ([after] if after else [])
        await publish(db, begin)
    naive = counted_anew(stays, days)
    async with db.read() as tx:
        rows = await tx.all(sa.select(table).order_by(table.c.division_code, table.c.kind, table.c.day))
    standing: dict[tuple[str, str], int] = defaultdict(int)
    kept = {(row.division_code, row.kind, row.day): row for row in rows}
    for division, kind, day in sorted(naive):
        row = kept.get((division, kind, day))
        if row is not None:
            standing[division, kind] = row.registered
        here = (standing[division, kind], *((row.arrivals, row.departures, row.late) if row else (0, 0, 0)))
        assert here == naive[division, kind, day], (division, kind, day)
    published = await last(db)
    assert Counter(map(counts, published.values())) == Counter(
        (row.registered, row.arrivals, row.departures, row.late) for row in rows
    )


async def test_a_stub_is_published_and_takes_arrivals_at_once(clerk: Desk, db: Database) -> None:
    entry = {"kind": "rental", "address": " 青湾街道  9 号 ", "division_code": "330199001009"}
    answer = await clerk.post("/premises-stubs", entry)
    assert answer.status_code == 201
    premises_id = answer.json()["premises_id"]
    (event,) = await emitted(db, "registration.stubs")
    assert (event["type"], event["key"]) == ("anju.registration.premises-stubbed.v1", premises_id)
    assert (event["kind"], event["address"], event["division_code"]) == ("rental", "青湾街道 9 号", "330199001009")
    arrived = await clerk.arrive(premises_id=premises_id, room="3-2", kind="tenant", legal_basis="rental_register")
    assert arrived["stay_id"]
    shown = (await clerk.get(f"/premises/{premises_id}")).json()
    assert (shown["status"], shown["rooms"]) == ("stub", [])


async def test_a_stub_is_refused_outside_the_area_and_with_what_is_not_a_place(clerk: Desk) -> None:
    entry = {"kind": "rental", "address": "9 号", "division_code": "330199001"}
    assert (await replace(clerk, unit="station-02").post("/premises-stubs", entry)).status_code == 403
    operator = replace(clerk, role="premises_operator", unit="hotel-01")
    assert (await operator.post("/premises-stubs", entry)).status_code == 403
    for wrong in ({"address": "  "}, {"kind": "castle"}, {"division_code": "33019"}, {"name": "x"}):
        assert (await clerk.post("/premises-stubs", entry | wrong)).status_code == 422


async def test_what_housing_publishes_takes_the_stubs_place_and_a_restart_does_not_drop_it(
    clerk: Desk, db: Database
) -> None:
    from services.registration.use_cases import queries
    from services.registration.use_cases.follow_premises import follow_premises

    entry = {"kind": "rental", "address": "9 号", "division_code": "330199001009"}
    premises_id = (await clerk.post("/premises-stubs", entry)).json()["premises_id"]
    async with db.read() as tx:
        assert premises_id not in await queries.known_premises(tx)
    completed = replace(HOTEL, premises_id=premises_id, kind="rental", rooms=())
    assert isinstance(completed, Premises)
    async with db.transaction() as tx:
        await follow_premises(tx, [(completed, (1, 1))])
    async with db.read() as tx:
        assert premises_id in await queries.known_premises(tx)
    person = PEOPLE.person()
    refused = await clerk.post("/arrivals", arrival(premises_id=premises_id, room="7", person=person))
    assert refused.json()["type"].endswith("unknown-room")
