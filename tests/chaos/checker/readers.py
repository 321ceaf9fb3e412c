"""Whether every reader has read to the end, with no gap, and no relay is behind: what is left undone is lost so far."""

from collections.abc import Iterator

from tests.chaos.checker.evidence import Evidence
from tests.chaos.checker.findings import Finding
from tests.chaos.checker.histories import SERVICES

# Who must read which history (interfaces.md).
READERS = {
    "alerts": ("registration.stays",),
    "registration": ("alerts.alerts", "alerts.notices"),
    "housing": ("registration.stubs",),
}


def check(evidence: Evidence) -> Iterator[Finding]:
    """Compare consumers' positions with the ends of topics, and relays with their outboxes."""
    for service, topics in READERS.items():
        table = f"{service}.consumer_positions"
        rows = {(row["topic"], row["partition"]): row for row in evidence.table(table)}
        for topic in topics:
            for partition, end in evidence.ends.get(topic, {}).items():
                row = rows.get((topic, partition))
                if row is None or row["next_offset"] < end:
                    yield Finding("lost", table, f"{topic}/{partition} was not read to its end")
                elif row["next_offset"] > end:
                    yield Finding("invented", table, f"{topic}/{partition} was read past its end")
                elif row["gap_since"] is not None:
                    yield Finding("lost", table, f"{topic}/{partition} has an open gap")
                else:
                    yield from _at_last(evidence, table, row)
        for row in evidence.table(f"{service}.dead_letters"):
            yield Finding("lost", f"{service}.dead_letters", f"{row['topic']} {row['offset']}: {row['reason']}")
    for service in SERVICES:
        yield from _relayed(evidence, service)


def _at_last(evidence: Evidence, table: str, row: dict[str, object]) -> Iterator[Finding]:
    numbers = [
        record.sequence
        for record in evidence.topic(str(row["topic"]))
        if record.partition == row["partition"] and record.sequence
    ]
    if numbers and max(numbers) != (row["epoch"], row["sequence"]):
        yield Finding("misordered", table, f"{row['topic']}/{row['partition']} stands at another event than the last")


def _relayed(evidence: Evidence, service: str) -> Iterator[Finding]:
    waiting = sum(row["relay_number"] is None for row in evidence.table(f"{service}.outbox"))
    for mark in evidence.table(f"{service}.relay_mark"):
        waiting += mark["numbered"] - mark["sent"]
    if waiting:
        yield Finding("lost", f"{service}.outbox", f"{waiting} events were not sent")
