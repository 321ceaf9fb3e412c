"""Looks at everything at once and gathers the findings; a part that is down is one finding and holds nothing up."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from aiokafka.errors import KafkaError
from asyncpg import PostgresError
from confluent_kafka.admin import AdminClient
from sqlalchemy.exc import SQLAlchemyError

from anju.doctor import databases, judge
from anju.doctor.findings import Finding, finding
from anju.doctor.logs import LogFacts, Logs
from anju.topics import cluster
from anju.topics.declared import Topic
from anju.topics.differences import Difference, What
from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable
from chassis.events.kafka import KafkaSettings
from policy.packs import BadPack, load

DATABASE_FAULTS = (DatabaseUnavailable, DatabaseBusy, SQLAlchemyError, PostgresError, OSError)
# A process that does not answer by then is as good as down.
READY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    """A service with what it takes to look at it."""

    name: str
    db: Database
    kafka: KafkaSettings


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one service's database and Kafka said, or why they did not."""

    service: str
    facts: databases.DatabaseFacts | None
    logs: LogFacts | None
    database_why: str | None = None
    kafka_why: str | None = None


async def examine(services: Sequence[Service], topics: Mapping[str, Topic]) -> list[Finding]:
    """Look at the services' databases and logs, all at once."""
    seen = await asyncio.gather(*(_look(service, topics) for service in services))
    owners = {name: topic.owner for name, topic in topics.items()}
    findings: list[Finding] = []
    for each in seen:
        if each.facts is None:
            where = f"{each.service}: database"
            findings.append(finding("database-unreachable", where, each.database_why or "", service=each.service))
            continue
        findings += judge.of_database(each.service, each.facts)
        if each.logs is not None:
            findings += judge.of_logs(each.service, each.facts, each.logs, owners)
    return findings + _kafka_faults(seen)


def _kafka_faults(seen: Sequence[_Seen]) -> list[Finding]:
    """One finding when Kafka answers nobody, else one for each service that it does not answer."""
    silent = [each for each in seen if each.kafka_why is not None]
    if len(silent) == len(seen) > 1:
        return [finding("kafka-unreachable", "Kafka", f"it answers no service: {silent[0].kafka_why}", service="…")]
    return [
        finding("kafka-unreachable", f"{each.service}: Kafka", each.kafka_why or "", service=each.service)
        for each in silent
    ]


async def _look(service: Service, topics: Mapping[str, Topic]) -> _Seen:
    """Kafka's last records first, the database next, the logs' bounds last: so what moves meanwhile is not a fault."""
    histories = [name for name, its in topics.items() if its.owner == service.name and its.kind == "history"]
    facts: databases.DatabaseFacts | None = None
    database_why: str | None = None
    try:
        async with Logs(service.kafka) as logs:
            last = await logs.last_numbers(histories)
            facts, database_why = await _look_at_database(service)
            if facts is None:
                return _Seen(service.name, None, None, database_why)
            return _Seen(service.name, facts, await _compare(logs, last, facts))
    except (KafkaError, TimeoutError, OSError) as error:
        if facts is None and database_why is None:
            facts, database_why = await _look_at_database(service)
        return _Seen(service.name, facts, None, database_why, f"it does not answer ({type(error).__name__})")


async def _compare(
    logs: Logs, last: Mapping[databases.Place, tuple[int, int]], facts: databases.DatabaseFacts
) -> LogFacts:
    read: dict[databases.Place, int] = {}
    for each in facts.positions:
        place = (each.topic, each.partition)
        read[place] = min(each.next_offset, read.get(place, each.next_offset))
    bounds = await logs.bounds({*read, *(facts.marks or ())})
    behind = {
        place: at for place, at in read.items() if place in bounds and bounds[place].start <= at < bounds[place].end
    }
    return LogFacts(last, bounds, await logs.waiting(behind))


async def _look_at_database(service: Service) -> tuple[databases.DatabaseFacts | None, str | None]:
    try:
        return await databases.look(service.db, service.name), None
    except DATABASE_FAULTS as error:
        return None, f"it does not answer ({type(error).__name__})"


def examine_rules() -> list[Finding]:
    """Read the rule packs as a service does at its start."""
    try:
        load()
    except BadPack as error:
        return [finding("rule-packs", f"policy/packs/{error.file.name}:{error.line}", error.why)]
    return []


def examine_topics(admin: AdminClient, topics: Mapping[str, Topic], users: Mapping[str, str]) -> list[Finding]:
    """Compare Kafka with what is declared; nothing when it does not answer, which others say."""
    try:
        outcome = cluster.apply(admin, topics, users, change=False)
    except cluster.KafkaRefused as error:
        return [finding("kafka-unreachable", "Kafka: topics and rights", str(error).rstrip("."), service="…")]
    return [
        *(finding("drift-to-apply", "Kafka: topics and rights", f"to do: {each}") for each in outcome.done),
        *(_drift(each, topics) for each in outcome.drift),
    ]


def _drift(found: Difference, topics: Mapping[str, Topic]) -> Finding:
    """What a person must decide; more partitions of a history have a command."""
    where, topic = "Kafka: topics and rights", topics.get(found.subject)
    more = found.what is What.PARTITIONS and int(found.declared or 0) > int(found.found or 0)
    if more and topic is not None and topic.kind == "history":
        return finding("partitions-declared", where, str(found), topic=found.subject, owner=topic.owner)
    return finding("drift", where, str(found))


async def examine_processes(status: Mapping[str, Any]) -> list[Finding]:
    """Whether each process of a demo city runs and says that it is ready, else why not."""
    findings = [
        finding("process-down", each["name"], f"{each['state']}; its log is {each['log']}")
        for each in status["processes"]
        if each["state"] != "running"
    ]
    down = {each.where for each in findings}
    addresses = {f"{name}-web": url for name, url in status["services"].items()}
    addresses |= {f"{name}-worker": url for name, url in status["workers"].items()}
    async with httpx.AsyncClient(timeout=READY_SECONDS) as client:
        asked = {name: _unready(client, url) for name, url in addresses.items() if name not in down}
        answers = await asyncio.gather(*asked.values())
    for name, why in zip(asked, answers, strict=True):
        findings += [finding("process-unready", name, reason) for reason in why]
    return findings


async def _unready(client: httpx.AsyncClient, url: str) -> Sequence[str]:
    try:
        answer = await client.get(f"{url}/health/ready")
        return [] if answer.is_success else list(answer.json()["reasons"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return [f"does not say whether it is ready ({type(error).__name__})"]
