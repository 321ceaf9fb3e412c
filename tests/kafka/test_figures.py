"""From three owners' topics to the figures, worked out by hand: counts come late, again, corrected and annulled."""

import json
from datetime import date
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from chassis.data.db import Database
from chassis.events.consumers import Consumers
from policy import packs
from services.reporting import consumers
from services.reporting.consumers import Source, subscriptions
from services.reporting.domain.occupancy import Figures
from services.reporting.domain.read_models import Owner
from services.reporting.use_cases import queries
from tests.kafka.conftest import running, settings_of
from tests.parts import Kafka
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
CITY, STREET = "330199", "330199001"
SEVERITIES = ("minor", "serious", "imminent")


def stays(registered: int, arrivals: int, departures: int, late: int) -> dict[str, Any]:
    timeliness = {"on_time": arrivals - late, "late": late}
    return {"registered": registered, "arrivals": arrivals, "departures": departures, "timeliness": timeliness}


def places(opened: int, done: int, found: int, cleared: int, still: int, seconds: int) -> dict[str, Any]:
    imminent = {"hazards_found": found, "hazards_cleared": cleared, "hazards_open": still, "clear_seconds": seconds}
    hazards = {name: dict.fromkeys(SEVERITIES, 0) | {"imminent": count} for name, count in imminent.items()}
    visits = {"inspections": {"done": done, "nobody_home": 0, "refused": 0}}
    return {"premises_open": opened, "premises_closed": 0} | visits | hazards


def alerts(raised: int, acknowledged: int, seconds: int, retracted: int = 0) -> dict[str, Any]:
    none = dict.fromkeys(("verified", "closed", "cleared", "verify_seconds", "close_seconds", "clear_seconds"), 0)
    counts = {"raised": raised, "acknowledged": acknowledged, "acknowledge_seconds": seconds, "retracted": retracted}
    return none | counts


R, H, A = Owner.REGISTRATION, Owner.HOUSING, Owner.ALERTS
RECORDS: list[tuple[Owner, str, str, int, dict[str, Any] | None]] = [
    (R, "20", "tenant", 1, stays(39, 39, 0, 0)),
    (R, "20", "dormitory", 1, stays(25, 25, 0, 0)),
    (H, "20", "hotel", 1, places(3, 1, 2, 0, 2, 0)),
    (A, "20", "notice", 1, alerts(14, 12, 1200)),
    (A, "20", "unsafe_dwelling", 1, alerts(2, 1, 30)),
    (R, "21", "tenant", 1, stays(52, 13, 0, 0)),
    # late: one more arrived on the 20th, and who is registered on the 21st follows
    (R, "20", "tenant", 2, stays(40, 40, 0, 0)),
    (R, "21", "tenant", 2, stays(53, 13, 0, 0)),
    # late: a visit of the 20th; one of its hazards was cleared on the 21st after two hours
    (H, "20", "hotel", 2, places(3, 2, 2, 0, 2, 0)),
    (H, "21", "hotel", 1, places(3, 1, 0, 1, 1, 7200)),
    # again, and older after newer
    (R, "20", "tenant", 2, stays(40, 40, 0, 0)),
    (R, "20", "tenant", 1, stays(39, 39, 0, 0)),
    (H, "20", "hotel", 1, places(3, 1, 2, 0, 2, 0)),
    (A, "20", "notice", 1, alerts(14, 12, 1200)),
    # corrected: two of the 14 matches hold no more; both were acknowledged, in 100 seconds each
    (A, "20", "notice", 2, alerts(12, 10, 1000)),
    # annulled: three of the 21st's arrivals never were; the alert of an unsafe dwelling's day is dropped whole
    (R, "21", "tenant", 3, stays(50, 10, 0, 0)),
    (A, "20", "unsafe_dwelling", 2, None),
    (A, "21", "overcrowded", 1, alerts(1, 1, 90)),
]


async def test_figures_from_three_topics_are_those_worked_out_by_hand(
    kafka: Kafka, reporting_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, source in dict(consumers.SOURCES).items():
        topic = await kafka.new_topic(f"{owner}.figures", partitions=2, compacted=True)
        monkeypatch.setitem(consumers.SOURCES, owner, Source(topic, source.model))
    settings = settings_of(kafka)
    producer = AIOKafkaProducer(**settings.connection("test", 10_000))
    await producer.start()
    try:
        for owner, day, kind, version, counts in RECORDS:
            key = f"2026-11-{day}/{STREET}/{kind}"
            head = {"day": f"2026-11-{day}", "division_code": STREET, "kind": kind, "version": f"1.{version}"}
            body = None if counts is None else json.dumps(head | counts).encode()
            await producer.send_and_wait(consumers.SOURCES[owner].topic, body, key.encode())
    finally:
        await producer.stop()
    rules, first, last = packs.load(), date(2026, 11, 20), date(2026, 11, 21)

    async def figures() -> tuple[Any, ...]:
        async with reporting_db.read() as tx:
            days = [await queries.occupancy(tx, rules, CITY, day) for day in (first, last)]
            housing = (await queries.housing_counts(tx, first, last)).counts(CITY)
            alerts = await queries.alert_counts(tx, rules, CITY, first, last)
        return (
            *(day.shown(CITY) for day in days),
            {name: count for name, count in housing.items() if count},
            {kind: {name: its[name] for name in ("raised", "acknowledged", "acknowledge_seconds")}
             for kind, its in alerts.kinds(CITY).items()},
        )  # fmt: skip

    expected = (
        Figures(registered=65, arrivals=65, departures=0, on_time=65, late=0),
        Figures(registered=75, arrivals=10, departures=0, on_time=10, late=0),
        {
            "premises_open": 3,
            "inspections_done": 3,
            "hazards_found_imminent": 2,
            "hazards_cleared_imminent": 1,
            "hazards_open_imminent": 1,
            "clear_seconds_imminent": 7200,
        },
        {
            "notice": {"raised": 12, "acknowledged": 10, "acknowledge_seconds": 100},
            "overcrowded": {"raised": 1, "acknowledged": 1, "acknowledge_seconds": 90},
        },
    )

    async def as_worked_out() -> bool:
        return await figures() == expected

    async with running(Consumers(reporting_db, settings, "reporting", subscriptions())):
        await until(as_worked_out)
    assert await figures() == expected
