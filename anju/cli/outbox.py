"""`anju outbox`: what a service still has to publish."""

import asyncio
import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from anju.cli.access import database
from anju.cli.completion import services
from anju.cli.output import Json, answer, table
from anju.cli.recover import published_by
from anju.cli.selection import chosen, known_service, refuse

if TYPE_CHECKING:
    from chassis.events.relay_places import Asked, Lost

app = typer.Typer(help="What a service still has to publish.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What a service still has to publish."""


@app.command()
def status(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Argument(help="Whose outbox; every service's without it.", autocompletion=services)
    ] = None,
    json: Json = False,
) -> None:
    """Say how many rows wait to be sent, since when, how far the relay is, and what Kafka has lost."""
    from chassis.events.relay_places import losses
    from chassis.events.relay_rows import Backlog, backlog

    async def ask() -> "dict[str, tuple[Backlog, list[Lost]]]":
        found = {}
        for each in chosen(service):
            async with database(context, each) as db:
                found[each] = await backlog(db), await losses(db)
        return found

    found = asyncio.run(ask())
    document = {each: asdict(rows) | {"lost": [asdict(its) for its in lost]} for each, (rows, lost) in found.items()}

    def show() -> None:
        columns = ("service", "waiting", "oldest, s", "sent", "numbered", "epoch", "lost")
        shown = (
            (rows.unsent, rows.oldest_seconds, rows.sent, rows.numbered, rows.epoch, sum(its.lost for its in lost))
            for rows, lost in found.values()
        )
        table(columns, ((each, *cells) for each, cells in zip(found, shown, strict=True)))

    answer(json, document[service] if service else document, show)


@app.command()
def republish(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Whose events are missing.", autocompletion=services)],
    topic: Annotated[str, typer.Argument(help="A history of this service.")],
    partition: Annotated[int | None, typer.Option(help="Only this one.")] = None,
    from_: Annotated[str, typer.Option("--from", help="The first that is missing, as epoch.sequence.")] = "0.1",
    json: Json = False,
) -> None:
    """Send again what the outbox keeps of a history, from a number to the last one; same ids, same numbers.

    To the last one, because a reader drops what follows a gap. What it has already it drops too. The service's worker
    does it, within seconds; events of now wait for it.
    """
    from chassis.events.records import parse_sequence

    first = parse_sequence(from_.encode())
    if first is None:
        raise typer.BadParameter("a number is epoch.sequence, such as 1764000000.42")
    if topic not in published_by(known_service(service)).histories:
        refuse(f"{topic} is no history of {service}; states come right by themselves, at the worker's next start.")
    asked = asyncio.run(_ask_again(context, service, topic, partition, first))
    document = [asdict(each) | {"first": "{}.{}".format(*each.first)} for each in asked]

    def show() -> None:
        columns = ("partition", "from", "events")
        table(columns, ((each.partition, "{}.{}".format(*each.first), each.count) for each in asked))

    answer(json, document, show)
    if not asked:
        refuse(f"the outbox of {service} keeps nothing of {topic} from {from_} on; it keeps seven days.")
    late = [each for each in asked if from_ != "0.1" and each.first > first]
    if late:
        refuse(f"kept only from {late[0].first[0]}.{late[0].first[1]} on: what was before it is lost for its readers.")


async def _ask_again(
    context: typer.Context, service: str, topic: str, partition: int | None, first: tuple[int, int]
) -> "list[Asked]":
    from chassis.data import audit
    from chassis.events.relay_places import ask_again

    async with database(context, service) as db, db.transaction() as tx:
        asked = await ask_again(tx, topic, None if partition is None else [partition], first)
        detail = {"partitions": len(asked), "events": sum(each.count for each in asked)}
        entry = audit.Entry(getpass.getuser(), "command-line", "events.republished", topic, detail=detail)
        audit.record(tx, entry, datetime.now(UTC))
    return asked


@app.command()
def accept_loss(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Whose topics lost records.", autocompletion=services)],
    json: Json = False,
) -> None:
    """Note that somebody knows what Kafka lost of this service's histories; its health is well again then."""
    from chassis.data import audit
    from chassis.events.relay_places import accept_losses

    async def accept() -> "list[Lost]":
        async with database(context, known_service(service)) as db, db.transaction() as tx:
            accepted = await accept_losses(tx)
            for each in accepted:
                detail = {"partition": each.partition, "lost": each.lost}
                entry = audit.Entry(
                    getpass.getuser(), "command-line", "events.loss-accepted", each.topic, detail=detail
                )
                audit.record(tx, entry, datetime.now(UTC))
            return accepted

    accepted = asyncio.run(accept())

    def show() -> None:
        table(("topic", "partition", "lost"), ((each.topic, each.partition, each.lost) for each in accepted))

    answer(json, [asdict(each) for each in accepted], show)
