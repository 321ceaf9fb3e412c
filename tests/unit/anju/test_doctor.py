"""The doctor's rules: each thing that can be wrong is found, what is well is not, and what mends it exists."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import typer

from anju.cli import app
from anju.doctor import judge
from anju.doctor.databases import Clock, DatabaseFacts, Mark, Schema
from anju.doctor.examination import examine_processes
from anju.doctor.findings import KINDS, Severity, finding, in_order
from anju.doctor.logs import Bounds, LogFacts
from anju.local.programs import free_ports
from chassis.events.positions import Standing
from chassis.events.relay_rows import Backlog

STAYS, NOTICES = ("registration.stays", 2), ("alerts.notices", 0)
NAMES = {"service": "alerts", "owner": "housing", "topic": "housing.inspections", "partition": "1", "missing": "7.51"}
OWNERS = {"registration.stays": "registration", "alerts.notices": "alerts"}
READ = Standing("alerts.stays", *STAYS, next_offset=50, epoch=7, sequence=50, gap_since=None, gap_seconds=0.0)
WELL = DatabaseFacts(
    Schema(),
    Clock(ahead=0.001, doubt=0.002),
    backlog=Backlog(epoch=9, numbered=40, sent=40, unsent=0, oldest_seconds=0.0),
    marks={NOTICES: Mark(epoch=9, numbered=12, acknowledged_offset=11)},
    positions=[READ],
    dead_letters={},
)
LOGS = LogFacts(last={NOTICES: (9, 12)}, bounds={STAYS: Bounds(10, 50), NOTICES: Bounds(0, 12)})


def found(facts: DatabaseFacts = WELL, logs: LogFacts = LOGS) -> list[str]:
    """Codes of what is found in alerts."""
    return [each.code for each in (*judge.of_database("alerts", facts), *judge.of_logs("alerts", facts, logs, OWNERS))]


def test_what_is_well_is_not_found() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"schema": Schema(pending=["0003", "0004"])}, "migrations-pending"),
        ({"schema": Schema(newer=True)}, "schema-newer"),
        ({"clock": Clock(ahead=-5.1, doubt=0.05)}, "clock"),
        ({"clock": Clock(ahead=151.0, doubt=0.5)}, "clock-far"),
        ({"backlog": Backlog(9, 41, 40, unsent=1, oldest_seconds=30.0)}, "outbox-late"),
        ({"dead_letters": {"registration.stays": 2}}, "dead-letters"),
        ({"audit_fits": False}, "audit-head"),
        (
            {"positions": [replace(READ, gap_seconds=31.0, gap_since=datetime(2026, 11, 25, tzinfo=UTC))]},
            "consumer-gap",
        ),
        ({"positions": [replace(READ, next_offset=9)]}, "consumer-lost-records"),
        ({"positions": [replace(READ, next_offset=51)]}, "consumer-lost-records"),
        ({"positions": [replace(READ, topic="housing.premises")]}, "topic-missing"),
        ({"marks": {NOTICES: Mark(9, 12, acknowledged_offset=12)}}, "topic-lost-records"),
        ({"marks": {NOTICES: Mark(9, 11, acknowledged_offset=10)}}, "kafka-ahead"),
        ({"marks": {}}, "kafka-ahead"),
        # Numbers of an older epoch say nothing of this one.
        ({"marks": {NOTICES: Mark(8, 99, acknowledged_offset=11)}}, "kafka-ahead"),
        ({"backlog": Backlog(8, 40, 40, 0, 0.0)}, "kafka-ahead"),
    ],
)
def test_each_fault_is_found_once(changes: dict[str, Any], code: str) -> None:
    assert found(replace(WELL, **changes)) == [code]


@pytest.mark.parametrize(
    "changes",
    [
        {"clock": Clock(ahead=5.1, doubt=0.2)},
        {"backlog": Backlog(9, 60, 40, unsent=20, oldest_seconds=29.0)},
        {"positions": [replace(READ, gap_seconds=29.0)]},
        {"positions": [replace(READ, next_offset=10)]},
        # A new epoch has begun and nothing was published in it yet.
        {"backlog": Backlog(10, 0, 0, 0, 0.0)},
    ],
)
def test_what_passes_by_itself_is_not_found(changes: dict[str, Any]) -> None:
    assert found(replace(WELL, **changes)) == []


def test_a_reader_is_late_by_the_age_of_its_next_record() -> None:
    behind = replace(WELL, positions=[replace(READ, next_offset=20)])
    assert found(behind, replace(LOGS, waiting={STAYS: 29.0})) == []
    (late,) = judge.of_logs("alerts", behind, replace(LOGS, waiting={STAYS: 300.0}), OWNERS)
    assert (late.code, late.what) == ("consumer-late", "30 records wait to be read, the first for 5 min")
    assert (late.where, late.command) == (
        "alerts: registration.stays[2] read as alerts.stays",
        "anju serve alerts worker",
    )


def test_a_gap_names_the_record_and_its_owner() -> None:
    facts = replace(WELL, positions=[replace(READ, gap_seconds=31.0)])
    (gap,) = judge.of_logs("alerts", facts, LOGS, OWNERS)
    assert gap.what == "record 7.51 has been missing for 31 s"
    assert "registration" in f"{gap.command} {gap.advice}"


def test_what_must_be_mended_first_stands_first() -> None:
    codes = ["dead-letters", "topics-not-compared", "consumer-gap", "migrations-pending", "database-unreachable"]
    ordered = in_order([finding(code, "alerts", "", **NAMES) for code in codes])
    assert [each.code for each in ordered] == [
        *("database-unreachable", "migrations-pending", "consumer-gap", "dead-letters", "topics-not-compared")
    ]


@pytest.mark.parametrize("code", KINDS)
def test_each_kind_says_what_mends_it_by_a_command_that_exists(code: str) -> None:
    said = finding(code, "somewhere", "something", **NAMES)
    assert said.command or said.advice
    if said.command is None:
        return
    assert "{" not in said.command
    program, *words = said.command.split()
    assert program == "anju"
    group: Any = typer.main.get_command(app)
    context = group.make_context("anju", ["--data-dir", "/nowhere", *words], resilient_parsing=True)
    while words and hasattr(group, "resolve_command"):
        _name, group, words = group.resolve_command(context, words)
        assert group is not None
    # The rest are its arguments: they fit it.
    group.make_context("command", list(words), parent=context)


def test_a_note_asks_for_nothing() -> None:
    assert [code for code, kind in KINDS.items() if kind.severity is Severity.NOTE] == ["topics-not-compared"]


async def test_a_process_that_does_not_run_or_answer_is_named() -> None:
    (port,) = free_ports(1)
    told = {"pid": 1, "restarts": 3, "log": "/logs/x.log"}
    status = {
        "processes": [
            {"name": "registration-web", "state": "running", **told},
            {"name": "alerts-worker", "state": "backoff", **told},
        ],
        "services": {"registration": f"http://127.0.0.1:{port}"},
        "workers": {"alerts": f"http://127.0.0.1:{port}"},
    }
    findings = await examine_processes(status)
    assert [(each.code, each.where) for each in findings] == [
        ("process-down", "alerts-worker"),
        ("process-unready", "registration-web"),
    ]
    assert "backoff" in findings[0].what
    assert "/logs/x.log" in findings[0].what
