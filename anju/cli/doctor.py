"""`anju doctor`: what an administrator on call wants to know first, each finding with the command that mends it."""

import asyncio
import os
import shlex
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from anju.cli.access import administration, kafka
from anju.cli.output import Json, answer, console
from anju.cli.selection import SERVICES, Selection, refuse, selection

if TYPE_CHECKING:
    from anju.doctor.examination import Service
    from anju.doctor.findings import Finding
    from anju.topics.declared import Topic

_NEEDED = ("DATABASE_URL", "KAFKA_BOOTSTRAP", "KAFKA_USERNAME", "KAFKA_PASSWORD")
_COLOURS = {"critical": "bold red", "warning": "bold yellow", "note": "bold"}


def doctor(context: typer.Context, json: Json = False) -> None:
    """Look at databases, outboxes, consumers, dead letters, Kafka, clocks, rule packs, and a demo city's processes.

    Exits with 0 when nothing is wrong, with 1 when something is. What is down is said and holds nothing up.
    """
    chosen = selection(context)
    city = asyncio.run(_city(chosen))
    stopped = chosen.named is not None and city is None
    findings = _stopped(chosen) if stopped else _examined(context, city)
    wrong = [each for each in findings if each.severity != "note"]
    spelled = [_spelled(each, chosen) for each in findings]

    def show() -> None:
        if not wrong:
            typer.echo("all is well")
        for each in spelled:
            _print(each)

    answer(json, {"healthy": not wrong, "findings": spelled}, show)
    if wrong:
        raise typer.Exit(1)


async def _city(chosen: Selection) -> dict[str, Any] | None:
    """The status of the named demo city; None when it does not run or none is named."""
    from anju.local.status import of_city

    if chosen.named is None:
        return None
    chosen.city()  # refuses where there never was one
    return await of_city(chosen.directory)


def _stopped(chosen: Selection) -> "list[Finding]":
    from anju.doctor.examination import examine_rules
    from anju.doctor.findings import finding, in_order

    return in_order([finding("city-stopped", str(chosen.directory), "the city does not run"), *examine_rules()])


def _examined(context: typer.Context, city: dict[str, Any] | None) -> "list[Finding]":
    from anju.doctor.examination import examine, examine_processes, examine_rules
    from anju.doctor.findings import in_order
    from anju.topics.declared import BadTopicsFile, read_topics

    missing = _missing_settings(context)
    if len(missing) == len(SERVICES):
        refuse(f"{missing[SERVICES[0]][0]} is missing: set it, or name a demo city with --data-dir.")
    try:
        topics = read_topics()
    except BadTopicsFile as error:
        refuse(str(error))

    async def look() -> "list[Finding]":
        async with AsyncExitStack() as stack:
            services = [await _opened(context, stack, each) for each in SERVICES if each not in missing]
            found, processes = await asyncio.gather(
                examine(services, topics), examine_processes(city) if city else asyncio.sleep(0, [])
            )
            return [*found, *processes]

    findings = [*examine_rules(), *_unset(missing), *asyncio.run(look())]
    if all(each.code != "kafka-unreachable" for each in findings):
        findings += _compared(context, topics)
    return in_order(findings)


def _missing_settings(context: typer.Context) -> dict[str, list[str]]:
    """Names of settings that are not there, by service."""
    selection(context).enter(*(f"{service}-worker" for service in SERVICES))
    names = {service: [f"ANJU_{service.upper()}_{name}" for name in _NEEDED] for service in SERVICES}
    found = {service: [name for name in its if not os.environ.get(name)] for service, its in names.items()}
    return {service: its for service, its in found.items() if its}


def _unset(missing: dict[str, list[str]]) -> "list[Finding]":
    from anju.doctor.findings import finding

    return [finding("settings-missing", service, f"not set: {', '.join(its)}") for service, its in missing.items()]


async def _opened(context: typer.Context, stack: AsyncExitStack, service: str) -> "Service":
    from sqlalchemy.exc import ArgumentError

    from anju.doctor.examination import Service
    from chassis.data.db import Database

    try:
        db = Database(os.environ[f"ANJU_{service.upper()}_DATABASE_URL"], service=service, pool_size=2)
    except ArgumentError:
        refuse(f"ANJU_{service.upper()}_DATABASE_URL is not an address of a database.")
    stack.push_async_callback(db.dispose)
    return Service(service, db, kafka(context, service))


def _compared(context: typer.Context, topics: "dict[str, Topic]") -> "list[Finding]":
    from anju.doctor.examination import examine_topics
    from anju.doctor.findings import finding

    selection(context).enter_administration()
    unset = [name for name in ("BOOTSTRAP", "USERNAME", "PASSWORD") if not os.environ.get(f"ANJU_KAFKA_{name}")]
    if unset:
        return [finding("topics-not-compared", "Kafka: topics and rights", f"ANJU_KAFKA_{unset[0]} is not set")]
    admin, users = administration(context)
    return examine_topics(admin, topics, users)


def _spelled(found: "Finding", chosen: Selection) -> dict[str, Any]:
    """A finding whose command can be copied as it stands: it names the city too."""
    city = f" --data-dir {shlex.quote(str(chosen.named))}" if chosen.named else ""
    return asdict(found) | {"command": found.command and found.command + city}


def _print(found: dict[str, Any]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    head = Text.assemble((found["severity"], _COLOURS[found["severity"]]), "  ", (found["where"], "bold"))
    lines: Sequence[tuple[str, str]] = [
        (found["what"], ""),
        (found["command"] or "", "green"),
        (found["advice"] or "", "italic"),
    ]
    out = console()
    out.print(head)
    for text, style in lines:
        if text:
            out.print(Padding(Text(text, style), (0, 0, 0, 4), expand=False))
