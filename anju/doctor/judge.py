"""Turns what a service's database and Kafka say into findings: plain rules, no I/O."""

from collections.abc import Iterator, Mapping

from anju.doctor.databases import Clock, DatabaseFacts, Mark, Place
from anju.doctor.findings import Finding, finding
from anju.doctor.logs import Bounds, LogFacts
from chassis.events.histories import GAP_SECONDS
from chassis.events.positions import Standing
from chassis.events.relay import LATE_SECONDS

# Machines under NTP differ by milliseconds: this much means that nobody sets one of them.
CLOCK_SECONDS = 5.0
# Matching allows five minutes between two databases' clocks (product.md section 1): two that are each this far from
# this machine's use them up.
CLOCK_FAR_SECONDS = 150.0


def of_database(service: str, facts: DatabaseFacts) -> Iterator[Finding]:
    """What the database alone tells."""
    where = f"{service}: database"
    if facts.schema.newer:
        yield finding("schema-newer", where, "its schema is newer than this program")
    elif facts.schema.pending:
        waiting = ", ".join(facts.schema.pending)
        yield finding("migrations-pending", where, f"migrations not applied: {waiting}", service=service)
    yield from _clock(where, facts.clock)
    rows = facts.backlog
    if rows is not None and rows.unsent and rows.oldest_seconds >= LATE_SECONDS:
        what = f"{rows.unsent} rows wait to be sent, the oldest for {_span(rows.oldest_seconds)}"
        yield finding("outbox-late", f"{service}: outbox", what, service=service)
    if facts.dead_letters:
        told = ", ".join(f"{count} of {topic}" for topic, count in sorted(facts.dead_letters.items()))
        yield finding("dead-letters", f"{service}: dead letters", f"{told} open", service=service)
    if not facts.audit_fits:
        yield finding("audit-head", f"{service}: audit log", "its head names another last row", service=service)


def of_logs(service: str, facts: DatabaseFacts, logs: LogFacts, owners: Mapping[str, str]) -> Iterator[Finding]:
    """What the database tells beside what Kafka has; `owners` are the topics' writing services."""
    yield from _ahead(service, facts, logs)
    for place, mark in sorted((facts.marks or {}).items()):
        bounds = logs.bounds.get(place)
        end = bounds.end if bounds else 0
        if mark.acknowledged_offset is not None and mark.acknowledged_offset >= end:
            what = f"Kafka confirmed record {mark.acknowledged_offset}, and the log ends at {end}"
            yield finding("topic-lost-records", _at(service, place), what, service=service, topic=place[0])
    for standing in facts.positions:
        yield from _standing(service, standing, logs, owners.get(standing.topic, "its owner"))


def _ahead(service: str, facts: DatabaseFacts, logs: LogFacts) -> Iterator[Finding]:
    """A database that was restored knows less than it once told Kafka."""
    if facts.backlog is None:
        return
    for place, last in sorted(logs.last.items()):
        mark = (facts.marks or {}).get(place, Mark(0, 0, None))
        numbered = mark.numbered if mark.epoch == facts.backlog.epoch else 0
        if last > (facts.backlog.epoch, numbered):
            what = "Kafka has {}.{} and the outbox gave numbers up to {}.{}".format(
                *last, facts.backlog.epoch, numbered
            )
            yield finding("kafka-ahead", _at(service, place), what, service=service)


def _standing(service: str, standing: Standing, logs: LogFacts, owner: str) -> Iterator[Finding]:
    where = f"{service}: {standing.topic}[{standing.partition}] read as {standing.group}"
    place = {"topic": standing.topic, "partition": str(standing.partition)}
    bounds = logs.bounds.get((standing.topic, standing.partition))
    missing = f"{standing.epoch}.{(standing.sequence or 0) + 1}"
    if standing.gap_seconds >= GAP_SECONDS:
        what = f"record {missing} has been missing for {_span(standing.gap_seconds)}"
        yield finding("consumer-gap", where, what, owner=owner, missing=missing, **place)
    if bounds is None:
        yield finding("topic-missing", where, "the topic or partition is not there", service=service)
        return
    lost = loss(standing.next_offset, bounds)
    waiting = logs.waiting.get((standing.topic, standing.partition), 0.0)
    if lost is not None:
        yield finding("consumer-lost-records", where, lost, service=service, owner=owner, missing=missing, **place)
    elif standing.next_offset < bounds.end and waiting >= LATE_SECONDS:
        count = bounds.end - standing.next_offset
        what = f"{count} records wait to be read, the first for {_span(waiting)}"
        yield finding("consumer-late", where, what, service=service)


def loss(next_offset: int, bounds: Bounds) -> str | None:
    """What a reader at this offset will never get; None when the log has what comes next."""
    if next_offset < bounds.start:
        return f"records {next_offset} to {bounds.start - 1} were removed before they were read"
    if next_offset > bounds.end:
        return f"the log ends at {bounds.end}, before record {next_offset} which comes next"
    return None


def _clock(where: str, clock: Clock) -> Iterator[Finding]:
    away = abs(clock.ahead) - clock.doubt
    if away >= CLOCK_SECONDS:
        code = "clock-far" if away >= CLOCK_FAR_SECONDS else "clock"
        direction = "ahead of" if clock.ahead > 0 else "behind"
        yield finding(code, where, f"its clock is {_span(abs(clock.ahead))} {direction} this machine's")


def _at(service: str, place: Place) -> str:
    return f"{service}: {place[0]}[{place[1]}]"


def _span(seconds: float) -> str:
    """A time that a person can say."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
