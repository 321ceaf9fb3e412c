"""Arrival to alert on the stream in a whole city, in an open loop, beside a bare produce → consume of the same minutes.

Latencies count from the moment at which an arrival was due to be sent, not from when the client came to it, so that a
stall is charged to everybody who would have come meanwhile (Tene: coordinated omission).
"""

import asyncio
import gc
import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from anju.local.reaper import Reaper
from benchmarks.rounds import Goal, Measured, Plan, percentile
from tests.parts import DemoCity
from tests.people import People
from tests.system.desks import Desks
from tests.waiting import until

PER_SECOND = 50
SECONDS = 30
OURS, BARE = "answer → stream", "bare produce → consume"
# Notices are proposed and approved before the clock starts; more at once would only queue on two cores.
DESKS = 8


async def measure(plan: Plan) -> list[Measured]:
    """Measure milliseconds at 50 arrivals a second: all of them wanted, which is the worst case."""
    reaper = Reaper()
    reaper.start()
    city = DemoCity(reaper)
    try:
        await asyncio.to_thread(city.start)
        rounds = [await _round(city, plan.count(PER_SECOND * SECONDS)) for _ in range(plan.rounds)]
    finally:
        await asyncio.to_thread(city.remove)
        reaper.close()
    return [
        Measured(
            f"ms, {name}, at {PER_SECOND}/s",
            OURS,
            tuple({word: percentile(values, share) for word, values in each.items()} for each in rounds),
            {BARE: Goal(8, most=True)} if name == "p99" else {},
            Goal(limit, most=True),
        )
        for name, share, limit in (("p50", 0.50, 15), ("p99", 0.99, 60))
    ]


async def _round(city: DemoCity, arrivals: int) -> Mapping[str, list[float]]:
    desks = Desks(city.data_dir, city.status()["services"])
    people = People(seed=uuid.uuid4().int)
    persons = [people.person() for _ in range(arrivals)]
    async with httpx.AsyncClient(timeout=10.0) as http:
        premises_id = await desks.premises(http)
        notices = await _propose(desks, http, persons)
        # What the clients' process holds by now is garbage to nobody: looking through it would stall both contestants.
        gc.collect()
        gc.freeze()
        async with desks.stream(http) as stream:
            due: dict[str, float] = {}
            answered: dict[str, float] = {}

            async def arrive(number: int) -> None:
                await desks.arrive(http, desks.arrival(persons[number], premises_id))
                answered[notices[number]] = time.perf_counter()

            bare = asyncio.create_task(_bare(city.status()["kafka"], arrivals))
            begin = time.perf_counter()
            async with asyncio.TaskGroup() as load:
                for number in range(arrivals):
                    at = begin + number / PER_SECOND
                    await asyncio.sleep(max(0.0, at - time.perf_counter()))
                    due[notices[number]] = at
                    load.create_task(arrive(number))

            async def all_told() -> bool:
                return len(stream.raised()) >= arrivals

            await until(all_told)
            notice_of = {each["alert_id"]: str(each.get("notice_id")) for each in await desks.alerts(http)}
            told = {
                notice_of[alert_id]: at
                for alert_id, at in stream.raised().items()
                if notice_of.get(alert_id, "") in due
            }
    return {
        OURS: [1000 * (told[notice] - answered[notice]) for notice in told],
        "due → stream": [1000 * (told[notice] - due[notice]) for notice in told],
        BARE: await bare,
    }


async def _propose(desks: Desks, http: httpx.AsyncClient, persons: list[dict[str, Any]]) -> list[str]:
    room = asyncio.Semaphore(DESKS)

    async def one(person: dict[str, Any]) -> str:
        async with room:
            return await desks.notice(http, person["document"])

    return list(await asyncio.gather(*(one(each) for each in persons)))


async def _bare(kafka: Mapping[str, Any], records: int) -> list[float]:
    """The floor: the same rate of records of an arrival's size through the same broker, acks=all, nothing else."""
    topic = f"bare-{uuid.uuid4().hex[:8]}"
    connection = {
        "bootstrap_servers": kafka["bootstrap"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": kafka["username"],
        "sasl_plain_password": kafka["password"],
    }
    await _make(connection, topic)
    producer = AIOKafkaProducer(**connection, acks="all", enable_idempotence=True, linger_ms=0)
    consumer = AIOKafkaConsumer(**connection, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    await producer.start()
    await consumer.start()
    taken: list[float] = []

    async def consume() -> None:
        while len(taken) < records:
            for batch in (await consumer.getmany(timeout_ms=10)).values():
                taken.extend(1000 * (time.perf_counter() - float(record.key or b"0")) for record in batch)

    try:
        consuming = asyncio.create_task(consume())
        begin = time.perf_counter()
        for number in range(records):
            at = begin + number / PER_SECOND
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            await producer.send_and_wait(topic, b"0" * 475, key=str(at).encode(), partition=0)
        await consuming
    finally:
        await producer.stop()
        await consumer.stop()
    return taken


async def _make(connection: Mapping[str, Any], topic: str) -> None:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(**connection)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
