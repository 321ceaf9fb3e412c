"""Alerts of condition rules: raised whichever side comes first, updated, cleared by themselves, one at a time."""

import asyncio
import random
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.events.records import StateRecord
from chassis.events.tables import outbox
from contracts import topics
from services.alerts.domain import rules
from services.alerts.storage.tables import alert_changes, alerts, dwellings
from tests.service.alerts.callers import OFFICER, Api
from tests.service.alerts.conftest import PREMISES, alert_rows
from tests.service.alerts.dwellings import READER, headcount, premises, state, tell_headcounts, tell_premises

pytestmark = pytest.mark.postgres

BLOCKED = (("fire_exits", "imminent"),)


async def history_of(db: Database) -> list[str]:
    """What happened to all alerts, in order."""
    async with db.read() as tx:
        rows = await tx.all(sa.select(alert_changes.c.change).order_by(alert_changes.c.position))
    return [row.change for row in rows]


@pytest.mark.parametrize("headcount_first", [True, False])
async def test_an_alert_from_raising_to_clearing(db: Database, headcount_first: bool) -> None:
    """Whichever side comes first; a repeat changes nothing; its facts follow; nothing of it goes to alerts.alerts."""
    if headcount_first:
        await tell_headcounts(db, headcount(1, 3))
        await tell_premises(db, premises(1, BLOCKED))
    else:
        await tell_premises(db, premises(1, BLOCKED))
        await tell_headcounts(db, headcount(1, 3))
    (raised,) = await alert_rows(db)
    assert (raised.source, raised.rule, raised.state) == ("rule", "unsafe_dwelling", "new")
    assert raised.kind == raised.rule
    assert (raised.stay_id, raised.notice_id, raised.division_code) == (None, None, "330199001")
    await tell_headcounts(db, headcount(1, 3))
    await tell_headcounts(db, headcount(2, 2))
    (updated,) = await alert_rows(db)
    assert updated.facts["headcount"] == 2
    await tell_premises(db, premises(2))
    (cleared,) = await alert_rows(db)
    assert (cleared.state, cleared.due_at, cleared.holds) == ("cleared", None, False)
    assert await history_of(db) == ["raised", "facts_changed", "cleared"]
    async with db.read() as tx:
        told = await tx.all(sa.select(outbox.c.topic).where(outbox.c.topic == topics.ALERTS_ALERTS))
    assert told == []


async def test_facts_that_hold_again_raise_another_alert(db: Database) -> None:
    """A cleared alert is history."""
    await tell_premises(db, premises(1))
    for number, people in enumerate((5, 4, 6), start=1):
        await tell_headcounts(db, headcount(number, people))
    assert [(row.rule, row.state) for row in await alert_rows(db)] == [
        ("overcrowded", "cleared"),
        ("overcrowded", "new"),
    ]


async def test_a_rule_comes_and_goes_with_a_restart(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """States are read again then, unchanged: what the rules are by now decides."""
    both = rules.RULES
    monkeypatch.setattr(rules, "RULES", {"unsafe_dwelling": rules.unsafe_dwelling})
    await tell_premises(db, premises(1))
    await tell_headcounts(db, headcount(1, 5))
    assert await alert_rows(db) == []
    monkeypatch.setattr(rules, "RULES", both)
    await tell_headcounts(db, headcount(1, 5))
    assert [(row.rule, row.state) for row in await alert_rows(db)] == [("overcrowded", "new")]
    monkeypatch.setattr(rules, "RULES", {"unsafe_dwelling": rules.unsafe_dwelling})
    await tell_premises(db, premises(1))
    assert [(row.rule, row.state) for row in await alert_rows(db)] == [("overcrowded", "cleared")]


async def test_what_ends_takes_its_alerts_along(db: Database) -> None:
    """Premises or a headcount published no more; keys that are no ids are nobody's."""
    await tell_premises(db, premises(1))
    await tell_headcounts(db, headcount(1, 5))
    async with db.transaction() as tx:
        await READER.drop_occupancy(tx, [str(PREMISES), str(uuid4()), "no id"])
    assert [row.state for row in await alert_rows(db)] == ["cleared"]
    await tell_headcounts(db, headcount(2, 5))
    await tell_premises(db, state(str(PREMISES), None))
    assert [row.state for row in await alert_rows(db)] == ["cleared", "cleared"]
    await tell_headcounts(db, state(str(PREMISES), None))
    async with db.read() as tx:
        assert await tx.all(sa.select(dwellings)) == []


async def test_an_officers_steps(db: Database, api: Api) -> None:
    """Its own findings; closed it keeps its state, can be opened while the facts go on, and then no more."""
    await tell_premises(db, premises(1, status="closed"))
    await tell_headcounts(db, headcount(1, 3))
    listed = (await api.get("/alerts", *OFFICER)).json()["items"][0]
    assert (listed["rule"], listed["stay_id"], "notice_id" in listed) == ("unsafe_dwelling", None, False)
    assert listed["facts"]["closed"] is True
    assert listed["facts"]["source"]
    path = f"/alerts/{listed['alert_id']}"
    assert (await api.post(f"{path}/acknowledgement", {}, *OFFICER)).status_code == 200
    wrong = await api.post(f"{path}/verification", {"result": "true_match", "reason": "在场"}, *OFFICER)
    assert wrong.status_code == 422
    for step, body in (
        ("verification", {"result": "confirmed", "reason": "在场"}),
        ("closure", {"outcome": "handed_over", "reason": "已移交"}),
    ):
        assert (await api.post(f"{path}/{step}", body, *OFFICER)).status_code == 200
    await tell_headcounts(db, headcount(2, 2))
    assert len(await alert_rows(db)) == 1
    assert (await api.post(f"{path}/reopening", {"reason": "仍有人"}, *OFFICER)).json()["facts"]["headcount"] == 2
    assert (await api.post(f"{path}/closure", {"outcome": "test", "reason": "演练"}, *OFFICER)).status_code == 200
    await tell_headcounts(db, headcount(3, 0))
    view = (await api.get(path, *OFFICER)).json()
    assert (view["state"], view["history"][-1]["change"]) == ("closed", "correction_noted")
    assert view["steps"]
    refused = await api.post(f"{path}/reopening", {"reason": "再看"}, *OFFICER)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:anju:problem:already-cleared")


async def test_the_database_keeps_one_open_alert_per_rule_and_premises(db: Database) -> None:
    """Whatever the code forgets."""
    await tell_premises(db, premises(1))
    await tell_headcounts(db, headcount(1, 5))
    (row,) = await alert_rows(db)
    twin = dict(row._mapping) | {"alert_id": uuid4(), "serial": row.serial + 1}
    for bad in (twin, twin | {"holds": False}):
        with pytest.raises(sa.exc.IntegrityError):
            async with db.transaction() as tx:
                await tx.execute(sa.insert(alerts).values(bad))


def naive(place: dict[str, Any], people: int) -> dict[str, dict[str, Any]]:
    """What holds, said once more without the code under test."""
    found: dict[str, dict[str, Any]] = {}
    imminent = sorted(item for item, severity in place["hazards"] if severity == "imminent")
    if people >= 1 and (place["status"] == "closed" or imminent):
        found["unsafe_dwelling"] = {"headcount": people, "closed": place["status"] == "closed", "items": imminent}
    if not place["one_household"] and place["capacity"] > 0 and people > place["capacity"]:
        found["overcrowded"] = {"headcount": people, "capacity": place["capacity"]}
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_ends_where_a_naive_recomputation_ends(db: Database, seed: int) -> None:
    """Late, repeated, reordered, both sides at the same time: the alerts that hold are those of the newest states."""
    chance = random.Random(seed)
    ids = [UUID(int=each) for each in range(1, 5)]
    newest: dict[UUID, tuple[dict[str, Any], int]] = {}
    places: list[StateRecord] = []
    counts: list[StateRecord] = []
    for premises_id in ids:
        for number in range(1, 16):
            place: dict[str, Any] = {
                "status": chance.choice(["open", "open", "closed", "stub"]),
                "capacity": chance.choice([0, 2, 4]),
                "one_household": chance.random() < 0.2,
                "hazards": tuple(
                    chance.sample([("fire_exits", "imminent"), ("wiring", "serious")], chance.randint(0, 2))
                ),
            }
            people = chance.randint(0, 6)
            facts = {name: value for name, value in place.items() if name != "hazards"}
            places.append(premises(number, place["hazards"], premises_id, **facts))
            counts.append(headcount(number, people, premises_id))
            newest[premises_id] = (place, people)
    sides = ((tell_premises, places), (tell_headcounts, counts))

    async def send(tell: Any, records: list[StateRecord], order: random.Random) -> None:
        mixed = records + order.sample(records, len(records) // 3)
        order.shuffle(mixed)
        while mixed:
            batch = {
                record.key: record for record in (mixed.pop() for _ in range(min(len(mixed), order.randint(1, 6))))
            }
            await tell(db, *batch.values())
        # What comes last may be anything but new.
        await tell(db, *order.sample(records, 1))

    await asyncio.gather(*(send(tell, records, random.Random(seed)) for tell, records in sides))
    missing = [(tell, [r for r in records if r.version == (1, 15)]) for tell, records in sides]
    for tell, records in missing:
        for record in records:
            await tell(db, record)  # a batch keeps one record of each key, so the newest may have been lost above
    holding: dict[UUID, dict[str, dict[str, Any]]] = {premises_id: {} for premises_id in ids}
    for row in await alert_rows(db):
        if row.rule not in ("unsafe_dwelling", "overcrowded"):
            continue  # a city's own, which nobody recomputes here
        if row.holds:
            assert row.rule not in holding[row.premises_id]
            facts = {name: value for name, value in row.facts.items() if name not in ("source", "hazards")}
            if "hazards" in row.facts:
                facts["items"] = [each["item"] for each in row.facts["hazards"]]
            holding[row.premises_id][row.rule] = facts
            assert row.state == "new"
        else:
            assert row.state == "cleared"
    assert holding == {premises_id: naive(*newest[premises_id]) for premises_id in ids}
