"""Fills a topic and a database, and lets each contestant read the whole topic in a process of its own."""

import asyncio
import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from confluent_kafka import Producer
from uuid_utils.compat import uuid7

from anju.local.binaries import java
from benchmarks.matcher.contestants import PRIVATE, PUBLIC
from benchmarks.rounds import Measured, Outcome, Plan, figure_of, interleaved
from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.data.migrations import migrate
from chassis.events.kafka import partition_of
from chassis.events.records import headers
from contracts import envelope
from contracts.registration import MatchingTokenV1, PersonArrivedV1, StayKind
from policy import packs
from services.alerts.domain.contents import Instrument, NoticeKind, Token
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import signing_key_from
from services.alerts.domain.subjects import Document, Subject
from services.alerts.use_cases.approve_notice import approve_notice
from services.alerts.use_cases.propose_notice import Proposal, propose_notice

EVENTS = 400_000
NOTICES = 1_000
WANTED = 60
PARTITIONS = 3
PEERS = Path(__file__).resolve().parents[1] / "peers"
STREAMS_JAR = PEERS / "target" / "peers.jar"
LONGEST_SECONDS = 180.0

_AUTHOR = Officer("author", "赵一", "notice-desk-01")
_APPROVER = Officer("approver", "孙三", "notice-desk-02")


async def measure(plan: Plan) -> list[Measured]:
    """Measure events per second and per CPU second."""
    events = plan.count(EVENTS)
    template = await _prepared(plan)
    topic = await plan.parts.new_topic("stays", PARTITIONS)
    await asyncio.to_thread(_fill, plan, topic, events)
    tokens = plan.parts.folder / "tokens.json"
    tokens.write_text(json.dumps([_token(number).value for number in range(NOTICES)]))

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
        return await asyncio.to_thread(_run, name, command, environment)

    names = ["ours", "ours on bare aiokafka", "aiokafka + orjson + dict", "confluent-kafka + orjson + dict"]
    if _streams_built():
        names.append("kafka streams")
    contestants: dict[str, Callable[[], Awaitable[Outcome]]] = {
        name: lambda name=name: contestant(name)  # type: ignore[misc]
        for name in names
    }
    rounds = await interleaved(plan, contestants)
    return [
        figure_of(
            rounds, "events per second", "ours", **{"aiokafka + orjson + dict": 0.6, "ours on bare aiokafka": 0.9}
        ),
        figure_of(rounds, "events per CPU second", "ours", **{"kafka streams": 1.5}),
    ]


def _streams_built() -> bool:
    """Build the Java peer where Maven is; without it the run goes on and says so."""
    if not STREAMS_JAR.exists() and shutil.which("mvn"):
        subprocess.run(["mvn", "--quiet", "--batch-mode", "package"], cwd=PEERS, check=True)
    if not STREAMS_JAR.exists():
        print("  kafka streams: left out, since there is no Maven to build benchmarks/peers with")
    return STREAMS_JAR.exists()


def _run(name: str, command: list[str], environment: dict[str, str]) -> Outcome:
    done = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=LONGEST_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if told["alerts"] != WANTED:
        raise RuntimeError(f"{name} found {told['alerts']} alerts where there are {WANTED}")
    return {
        "events per second": told["events"] / told["seconds"],
        "events per CPU second": told["events"] / told["cpu_seconds"],
    }


def _token(number: int) -> Token:
    digest = hashlib.sha256(b"bench" + str(number).encode()).digest()
    return Token("m1", base64.urlsafe_b64encode(digest).decode().rstrip("="))


async def _prepared(plan: Plan) -> str:
    """Make a database with live notices, each proposed and approved as in the service; return its name."""
    dsn = await plan.parts.new_database()
    await migrate(dsn, "alerts")
    db = Database(dsn, service="alerts")
    keyring, rules = Keyring({"k1": secrets.token_bytes(32)}, "k1"), packs.load()
    signer = signing_key_from(PRIVATE.private_bytes_raw(), PUBLIC)
    now = datetime.now(UTC)
    for number in range(NOTICES):
        proposal = Proposal(
            kind=NoticeKind.WANTED,
            instrument=Instrument("arrest_approval", f"云检捕〔2026〕{number:04d} 号", "云汀市人民检察院"),
            subject=Subject(Document("resident_id", f"3301991990{number:04d}", "CHN"), "陈某"),
            starts_at=now - timedelta(minutes=1),
            ends_at=now + timedelta(days=30),
            recipients=("command-centre",),
            instructions="两名民警到场。",
        )
        async with db.transaction() as tx:
            proposed = await propose_notice(
                tx, proposal, _token(number), author=_AUTHOR, keyring=keyring, packs=rules, district="330199"
            )
            await approve_notice(
                tx,
                proposed.notice_id,
                proposed.latest.content.hash(),
                approver=_APPROVER,
                signer=signer,
                keyring=keyring,
            )
    await db.dispose()
    return dsn.rsplit("/", 1)[1]


def _fill(plan: Plan, topic: str, events: int) -> None:
    """Write arrivals as registration's relay writes them; every so many one of a wanted person."""
    producer = Producer({**plan.parts.librdkafka, "compression.type": "lz4", "linger.ms": 20})
    sequences = dict.fromkeys(range(PARTITIONS), 0)
    every = events // WANTED
    for number in range(events):
        wanted = number % every == every // 2 and number // every < WANTED
        stay_id = uuid7()
        partition = partition_of(str(stay_id), PARTITIONS)
        sequences[partition] += 1
        token = _token(number // every) if wanted else Token("m1", secrets.token_urlsafe(32))
        now = datetime.now(UTC)
        event = PersonArrivedV1(
            stay_id=stay_id,
            premises_id=uuid7(),
            room="0806",
            division_code="330199001001",
            kind=StayKind.HOTEL_GUEST,
            occurred_at=now,
            recorded_at=now,
            token=MatchingTokenV1(key_id=token.key_id, value=token.value),
        )
        producer.produce(
            topic,
            key=str(stay_id),
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
