"""Fills a topic and a database, and lets each contestant read the whole topic in a process of its own."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from confluent_kafka import Producer
from uuid_utils.compat import uuid7

from anju.local.binaries import java
from benchmarks.rounds import Goal, Measured, Outcome, Plan, figure_of, interleaved
from benchmarks.wanted import arrival, make_notices, token_of
from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.kafka import partition_of
from chassis.events.records import headers
from contracts import envelope
from services.alerts.domain.contents import Token

EVENTS = 400_000
NOTICES = 1_000
# How many arrivals there are to one of a wanted person: a city's, and a dense day that nobody has seen yet.
ONE_IN = (10_000, 500)
PARTITIONS = 3
RATES = {"aiokafka + orjson + dict": Goal(0.6), "ours on bare aiokafka": Goal(0.9)}
PEERS = Path(__file__).resolve().parents[1] / "peers"
STREAMS_JAR = PEERS / "target" / "peers.jar"
LONGEST_SECONDS = 180.0


async def measure(plan: Plan) -> list[Measured]:
    """Measure events per second and per CPU second, at the share of wanted persons of a city and at a dense one."""
    template = await _prepared(plan)
    tokens = plan.parts.folder / "tokens.json"
    tokens.write_text(json.dumps([token_of(number).value for number in range(NOTICES)]))
    streams = _streams_built()
    return [each for one_in in ONE_IN for each in await _at(plan, one_in, template, tokens, streams)]


async def _at(plan: Plan, one_in: int, template: str, tokens: Path, streams: bool) -> list[Measured]:
    events = plan.count(EVENTS)
    topic = await plan.parts.new_topic("stays", PARTITIONS)
    wanted = await asyncio.to_thread(_fill, plan, topic, events, one_in)

    async def contestant(name: str) -> Outcome:
        environment = {
            **os.environ,
            **plan.parts.environment(),
            "BENCH_TOPIC": topic,
            "BENCH_EVENTS": str(events),
            "BENCH_TOKENS": str(tokens),
        }
        if name in ("ours", "ours on bare aiokafka"):
            environment["BENCH_DATABASE"] = await plan.parts.new_database(template)
        command = [sys.executable, "-m", "benchmarks.matcher.contestants", name]
        if name == "kafka streams":
            command = [str(java()), "-XX:+UseSerialGC", "-Xmx512m", "-cp", str(STREAMS_JAR), "anju.Matcher"]
        return await asyncio.to_thread(_run, name, command, environment, wanted)

    names = ["ours", "ours on bare aiokafka", "aiokafka + orjson + dict", "confluent-kafka + orjson + dict"]
    names += ["kafka streams"] if streams else []
    contestants: dict[str, Callable[[], Awaitable[Outcome]]] = {
        name: lambda name=name: contestant(name)  # type: ignore[misc]
        for name in names
    }
    rounds = await interleaved(plan, contestants)
    usual = one_in == ONE_IN[0]
    found = [
        figure_of(rounds, "events per second", "ours", RATES if usual else {}),
        figure_of(rounds, "events per CPU second", "ours", {"kafka streams": Goal(1.5)} if usual else {}),
    ]
    return [replace(each, figure=f"{each.figure}, 1 in {one_in:,}") for each in found]


def _streams_built() -> bool:
    """Build the Java peer where Maven is; without it the run goes on and says so."""
    if not STREAMS_JAR.exists() and shutil.which("mvn"):
        subprocess.run(["mvn", "--quiet", "--batch-mode", "package"], cwd=PEERS, check=True)
    if not STREAMS_JAR.exists():
        print("  kafka streams: left out, since there is no Maven to build benchmarks/peers with")
    return STREAMS_JAR.exists()


def _run(name: str, command: list[str], environment: dict[str, str], wanted: int) -> Outcome:
    done = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=LONGEST_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if told["alerts"] != wanted:
        raise RuntimeError(f"{name} found {told['alerts']} alerts where there are {wanted}")
    return {
        "events per second": told["events"] / told["seconds"],
        "events per CPU second": told["events"] / told["cpu_seconds"],
    }


async def _prepared(plan: Plan) -> str:
    """Make a database with live notices; return its name."""
    dsn = await plan.parts.new_database()
    await migrate(dsn, "alerts")
    db = Database(dsn, service="alerts")
    await make_notices(db, NOTICES)
    await db.dispose()
    return dsn.rsplit("/", 1)[1]


def _fill(plan: Plan, topic: str, events: int, one_in: int) -> int:
    """Write arrivals as registration's relay writes them, every so many one of a wanted person; return how many are."""
    producer = Producer({**plan.parts.librdkafka, "compression.type": "lz4", "linger.ms": 20})
    sequences = dict.fromkeys(range(PARTITIONS), 0)
    wanted = 0
    for number in range(events):
        is_wanted = number % one_in == one_in // 2
        token = token_of(wanted % NOTICES) if is_wanted else Token("m1", secrets.token_urlsafe(32))
        wanted += is_wanted
        event = arrival(token)
        partition = partition_of(str(event.stay_id), PARTITIONS)
        sequences[partition] += 1
        producer.produce(
            topic,
            key=str(event.stay_id),
            value=event.model_dump_json(exclude_none=True).encode(),
            partition=partition,
            headers=dict(
                headers(
                    service="registration",
                    event_id=str(uuid7()),
                    type_=envelope.PERSON_ARRIVED,
                    sequence=(1, sequences[partition]),
                    traceparent=None,
                )
            ),
        )
        if number % 1_000 == 0:
            producer.poll(0)
            while len(producer) > 50_000:
                producer.poll(0.1)
    producer.flush()
    return wanted
