"""Housing's and registration's states, late, repeated and reordered, over the broker to the services' own consumers.

What alerts and housing keep then equals a recomputation that knows nothing of their code: the newest version of a side
wins, a rule's alert stands exactly while its condition holds, and the fire department was told so last. Where one order
is defined, because states come one by one, every episode and every change of facts is counted as well.
"""

import json
import os
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer

from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.consumers import Consumers
from chassis.events.kafka import partition_of
from chassis.events.states import StateSubscription
from chassis.events.tables import consumer_positions, dead_letters
from contracts import topics
from policy import packs
from services.alerts.consumers import DwellingReader
from services.alerts.storage.department_tables import department_events
from services.alerts.storage.tables import alert_changes, alerts, dwellings
from services.housing.consumers import SUBSCRIPTIONS
from services.housing.storage.tables import headcounts
from tests.kafka.conftest import running, settings_of
from tests.kafka.states_by_hand import SIDES, Facts, Known, Sent, invent, known, mixed
from tests.parts import Kafka, Postgres
from tests.service.alerts.dwellings import state, tell_headcounts, tell_premises
from tests.waiting import until

FULL = os.environ.get("ANJU_SHOWS") == "full"
STATES, PLACES = (20_000, 500) if FULL else (2_000, 50)
ONE_BY_ONE = 5_000 if FULL else 300
SEED = 20261125
# Records are sent in portions, so that consumers see many small batches and not a few large ones.
PORTION = 100
PARTITIONS = 3
DISTRICT = "330199"
# Those that are recomputed here; a city may have added others.
RULES = ("unsafe_dwelling", "overcrowded")

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(1800 if FULL else 300)]


@dataclass
class Readers:
    """Alerts' and housing's consumers of these states, as their workers run them, on topics of the test's own."""

    kafka: Kafka
    names: Mapping[str, str]
    alerts: Database
    housing: Database

    def workers(self, replica: str = "1") -> list[Consumers]:
        """A copy of each."""
        ours = DwellingReader(packs.load(), DISTRICT).subscriptions()
        theirs = [each for each in SUBSCRIPTIONS if each.topic == topics.REGISTRATION_OCCUPANCY]
        made = []
        for db, service, subscriptions in ((self.alerts, "alerts", ours), (self.housing, "housing", theirs)):
            moved = [self._moved(each) for each in subscriptions if isinstance(each, StateSubscription)]
            made.append(Consumers(db, settings_of(self.kafka, replica=replica), service, moved))
        return made

    def _moved(self, subscription: StateSubscription) -> StateSubscription:
        name = self.names[subscription.topic]
        return replace(subscription, topic=name, group=f"{subscription.group}.{name}")

    async def send(self, arriving: Sequence[Sent]) -> None:
        """Write the records in portions, in this order."""
        producer = AIOKafkaProducer(**settings_of(self.kafka).connection("states", 30_000), linger_ms=0)
        await producer.start()
        try:
            for first in range(0, len(arriving), PORTION):
                for sent in arriving[first : first + PORTION]:
                    value = None if sent.value is None else json.dumps(sent.value).encode()
                    await producer.send(self.names[sent.side], value, key=str(sent.premises_id).encode())
                await producer.flush()
        finally:
            await producer.stop()

    async def have_read(self, marks: Collection[UUID]) -> bool:
        """Whether the last records of every partition arrived."""
        async with self.alerts.read() as tx:
            query = sa.select(sa.func.count()).where(
                dwellings.c.premises_id.in_(marks), dwellings.c.headcount.is_not(None), dwellings.c.status.is_not(None)
            )
            here = await tx.scalar(query)
        async with self.housing.read() as tx:
            there = await tx.scalar(sa.select(sa.func.count()).where(headcounts.c.premises_id.in_(marks)))
        return bool(here == there == len(marks))


@pytest.fixture
async def readers(kafka: Kafka, postgres: Postgres) -> Any:
    """Both services with a migrated database each, and two topics."""
    names = {side: await kafka.new_topic(side, partitions=PARTITIONS, compacted=True) for side in SIDES}
    databases = []
    for service in ("alerts", "housing"):
        dsn = await postgres.new_database()
        await migrate(dsn, service)
        databases.append(Database(dsn, service=service))
    yield Readers(kafka, names, *databases)
    for database in databases:
        await database.dispose()


def marks_of(dice: random.Random) -> list[UUID]:
    """One place for each partition, of which nothing is told until the end."""
    found: dict[int, UUID] = {}
    while len(found) < PARTITIONS:
        place = UUID(int=dice.getrandbits(128), version=4)
        found[partition_of(str(place), PARTITIONS)] = place
    return list(found.values())


async def test_any_order_ends_where_a_recomputation_ends(readers: Readers) -> None:
    """Workers come and go meanwhile and read from the start again; two copies share the partitions for a while."""
    dice = random.Random(SEED)
    ids = [UUID(int=dice.getrandbits(128), version=4) for _n in range(PLACES)]
    made = invent(dice, ids, STATES // (2 * PLACES))
    assert len(made) == STATES
    marks = marks_of(dice)
    ends = invent(dice, marks, 1)
    arriving = mixed(dice, made)
    half = len(arriving) // 2
    async with running(*readers.workers()):
        await readers.send(arriving[: half // 2])
        async with running(*readers.workers("2")):
            await readers.send(arriving[half // 2 : half])
    await readers.send(arriving[half : half + half // 2])
    async with running(*readers.workers()):
        await readers.send([*arriving[half + half // 2 :], *ends])
        await until(lambda: readers.have_read(marks), 240)
        await check(readers, known([*arriving, *ends]))
    before = await positions(readers)
    async with running(*readers.workers()):  # from the start once more, and nothing changes
        await until(lambda: read_again(readers, before), 240)
    await check(readers, known([*arriving, *ends]))


Positions = dict[tuple[str, int], tuple[int, int]]


async def positions(readers: Readers) -> Positions:
    """Claim and place of every partition of both services."""
    found: Positions = {}
    for db in (readers.alerts, readers.housing):
        async with db.read() as tx:
            rows = await tx.all(sa.select(consumer_positions))
        found |= {(row.group, row.partition): (row.claim, row.next_offset) for row in rows}
    return found


async def read_again(readers: Readers, before: Positions) -> bool:
    """Whether each partition was claimed anew and read to where it had been read."""
    now = await positions(readers)
    return all(now[key][0] > claim and now[key][1] >= place for key, (claim, place) in before.items())


async def check(readers: Readers, expected: Mapping[UUID, Known]) -> None:
    """Headcounts on both sides, alerts with their facts and histories, and what the fire department was told last."""
    people = {each: its.headcount for each, its in expected.items() if its.headcount is not None}
    async with readers.housing.read() as tx:
        kept = {row.premises_id: row.headcount for row in await tx.all(sa.select(headcounts))}
        assert await tx.all(sa.select(dead_letters)) == []
    assert kept == people
    async with readers.alerts.read() as tx:
        rows = await tx.all(sa.select(dwellings))
        assert await tx.all(sa.select(dead_letters)) == []
    assert {row.premises_id: row.headcount for row in rows if row.headcount is not None} == people
    places = {each: its.of(topics.HOUSING_PREMISES) for each, its in expected.items()}
    assert {row.premises_id: (row.status, row.capacity) for row in rows if row.status is not None} == {
        each: (place["status"], place["capacity"]) for each, place in places.items() if place is not None
    }
    told = await episodes(readers.alerts)
    holding: dict[UUID, dict[str, Facts]] = {each: {} for each in expected}
    for (premises_id, rule), its in told.items():
        assert all(each.changes[-1] == "cleared" for each in its[:-1]), "two alerts at once"
        for each in its:
            assert each.changes[0] == "raised"
            assert set(each.changes[1:-1]) <= {"facts_changed"}
        if its[-1].changes[-1] != "cleared":
            holding[premises_id][rule] = its[-1].facts
    assert holding == {each: its.alerts() for each, its in expected.items()}
    open_cases = {each: rules["unsafe_dwelling"] for each, rules in holding.items() if burns(rules)}
    assert {each: last for each, last in (await last_told(readers.alerts)).items() if last["state"] == "open"} == {
        each: {"state": "open", "items": facts["items"], "headcount": facts["headcount"]}
        for each, facts in open_cases.items()
    }


def burns(holding: Mapping[str, Facts]) -> Any:
    """What the fire department knows of a place: imminent hazards and how many are inside; None without a case."""
    facts = holding.get("unsafe_dwelling")
    return (facts["items"], facts["headcount"]) if facts and facts["items"] else None


@dataclass
class Episode:
    """An alert: its facts now, and what happened to it."""

    facts: Facts
    changes: list[str]


async def episodes(db: Database) -> dict[tuple[UUID, str], list[Episode]]:
    """Every alert by premises and rule, the oldest first."""
    async with db.read() as tx:
        its_own = alerts.c.rule.in_(RULES)
        rows = await tx.all(sa.select(alerts).where(its_own).order_by(alerts.c.day, alerts.c.serial))
        happened = await tx.all(sa.select(alert_changes).order_by(alert_changes.c.position))
    found: dict[tuple[UUID, str], list[Episode]] = {}
    for row in rows:
        facts = {name: value for name, value in row.facts.items() if name not in ("source", "hazards")}
        if "hazards" in row.facts:
            facts["items"] = [each["item"] for each in row.facts["hazards"]]
        its = [each.change for each in happened if each.alert_id == row.alert_id]
        assert row.holds == (row.state == "new") == (its[-1] != "cleared")
        found.setdefault((row.premises_id, row.rule), []).append(Episode(facts, its))
    return found


async def last_told(db: Database) -> dict[UUID, Facts]:
    """What the fire department was told last of each place."""
    async with db.read() as tx:
        rows = await tx.all(sa.select(department_events.c.value).order_by(department_events.c.position))
    return {
        UUID(row.value["premises_id"]): {
            "state": row.value["state"],
            "items": [each["item"] for each in row.value["hazards"]],
            "headcount": row.value["headcount"],
        }
        for row in rows
    }


async def test_one_by_one_every_episode_is_counted(readers: Readers) -> None:
    """Each record in a transaction of its own: what happened to every alert, and all that the department was told."""
    dice = random.Random(SEED + 1)
    ids = [UUID(int=dice.getrandbits(128), version=4) for _n in range(ONE_BY_ONE // 50)]
    by_hand: dict[UUID, Known] = {each: Known() for each in ids}
    expected: dict[tuple[UUID, str], list[list[str]]] = {}
    told: dict[UUID, list[str]] = {}
    for sent in mixed(dice, invent(dice, ids, 25)):
        here = by_hand[sent.premises_id]
        before, fire_before = here.alerts(), burns(here.alerts())
        here.hear(sent)
        after, fire_after = here.alerts(), burns(here.alerts())
        for rule in sorted(before.keys() | after.keys()):
            its = expected.setdefault((sent.premises_id, rule), [])
            if rule not in before:
                its.append(["raised"])
            elif rule not in after:
                its[-1].append("cleared")
            elif before[rule] != after[rule]:
                its[-1].append("facts_changed")
        if fire_after != fire_before:
            told.setdefault(sent.premises_id, []).append("cleared" if fire_after is None else "open")
        tell = tell_premises if sent.side == topics.HOUSING_PREMISES else tell_headcounts
        await tell(readers.alerts, state(str(sent.premises_id), None if sent.value is None else dict(sent.value)))
    found = await episodes(readers.alerts)
    assert {key: [each.changes for each in its] for key, its in found.items()} == expected
    async with readers.alerts.read() as tx:
        rows = await tx.all(sa.select(department_events.c.value).order_by(department_events.c.position))
    cases: dict[UUID, list[str]] = {}
    for row in rows:
        cases.setdefault(UUID(row.value["premises_id"]), []).append(row.value["state"])
    assert cases == told
    assert sum(map(len, found.values())) > len(ids)  # more than once at the same place
