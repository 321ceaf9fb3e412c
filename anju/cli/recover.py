"""`anju recover`: after a service's database was restored from a backup."""

import asyncio
import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from anju.cli.access import database, kafka
from anju.cli.completion import services
from anju.cli.output import Json, answer, table
from anju.cli.selection import known_service, refuse

if TYPE_CHECKING:
    from chassis.events.published import Published
    from chassis.events.recovery import Report


def recover(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Whose database was restored.", autocompletion=services)],
    json: Json = False,
) -> None:
    """Bring a restored database to terms with Kafka: a new epoch, states compared, readers' places checked.

    Run it after every restore, before the service starts; safe to repeat. A worker that runs already, and refuses to
    send, goes on by itself.
    """
    report = asyncio.run(_recover(context, service))
    answer(json, asdict(report), lambda: _show(report))


def published_by(service: str) -> "Published":
    """What a service publishes."""
    published: Published = import_module(f"services.{service}.published").PUBLISHED
    return published


async def _recover(context: typer.Context, service: str) -> "Report":
    from anju.topics.declared import read_topics
    from chassis.events import recovery
    from chassis.events.logs import KafkaSilent

    published = published_by(known_service(service))
    histories = {name for name, topic in read_topics().items() if topic.kind == "history"}
    async with database(context, service) as db:
        try:
            return await recovery.recover(
                db,
                kafka(context, service),
                service,
                published,
                histories_read=histories,
                actor=getpass.getuser(),
                now=datetime.now(UTC),
            )
        except recovery.RelayRuns:
            refuse(
                f"the relay of {service} sends, so Kafka is not ahead of its database;"
                f" stop every worker of {service} if you want to begin a new epoch all the same."
            )
        except KafkaSilent:
            refuse("Kafka does not answer; run it again when it does.")


def _show(report: "Report") -> None:
    typer.echo(f"{report.service}: epoch {report.epoch} begins, after {report.epoch_before}")
    typer.echo(f"{report.again} unsent events get new numbers; Kafka may have some of them already, with the same id")
    if report.unknown:
        typer.echo("Kafka has events that this database does not know any more; their readers have them:")
        columns = ("topic", "partition", "records", "up to")
        table(columns, ((each.topic, each.partition, each.records, each.last) for each in report.unknown))
    if report.states:
        typer.echo("states, by their tables:")
        table(
            ("topic", "keys", "published", "ended"),
            ((each.topic, each.keys, each.published, each.ended) for each in report.states),
        )
    if report.places:
        typer.echo("places of its readers:")
        heads = ("group", "topic", "partition", "next offset", "log from", "log to", "finding")
        names = ("group", "topic", "partition", "next_offset", "start", "end", "finding")
        table(heads, ([getattr(each, name) for name in names] for each in report.places))
    for each in report.places:
        if each.finding == "behind-start":
            typer.echo(f"lost, until `anju consumers accept-loss {report.service} {each.topic} {each.partition}`")
