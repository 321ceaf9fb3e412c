"""`anju consumers`: where a service's readers of histories are."""

import asyncio
import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anju.cli.access import database, kafka
from anju.cli.completion import services
from anju.cli.output import Json, answer, table
from anju.cli.selection import chosen, known_service, refuse

if TYPE_CHECKING:
    from chassis.events.losses import Loss
    from chassis.events.positions import Standing

app = typer.Typer(help="Where a service's readers of histories are.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Where a service's readers of histories are."""


@app.command()
def status(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Argument(help="Whose consumers; every service's without it.", autocompletion=services)
    ] = None,
    json: Json = False,
) -> None:
    """Say for each partition where the service is, how many records follow, and whether some are missing or lost."""
    places = [place for each in chosen(service) for place in asyncio.run(_places(context, each))]

    def show() -> None:
        columns = ("group", "topic", "partition", "next offset", "behind", "epoch", "sequence", "missing since", "lost")
        names = ("group", "topic", "partition", "next_offset", "lag", "epoch", "sequence", "gap_since", "lost")
        table(columns, ([place[name] for name in names] for place in places))

    answer(json, places, show)


async def _places(context: typer.Context, service: str) -> list[dict[str, Any]]:
    from aiokafka.errors import KafkaError

    from anju.doctor.judge import loss
    from anju.doctor.logs import Logs
    from chassis.events.positions import standings

    async with database(context, service) as db:
        found = await standings(db)
    try:
        async with Logs(kafka(context, service)) as logs:
            bounds = await logs.bounds({(each.topic, each.partition) for each in found})
    except (KafkaError, TimeoutError, OSError):
        refuse("Kafka does not answer.")

    def place(standing: "Standing") -> dict[str, Any]:
        its = bounds.get((standing.topic, standing.partition))
        compared = {
            "lag": None if its is None else max(0, its.end - standing.next_offset),
            "lost": "the topic or partition is not there" if its is None else loss(standing.next_offset, its),
        }
        return asdict(standing) | compared

    return [place(each) for each in found]


@app.command()
def accept_loss(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Whose reader lost records.", autocompletion=services)],
    topic: Annotated[str, typer.Argument(help="The history it reads.")],
    partition: Annotated[int, typer.Argument(help="The partition.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is lost.")] = False,
    json: Json = False,
) -> None:
    """Let a reader go on without records that nobody has any more: the next one that stands in the log is taken.

    First `anju outbox republish` on the publishing service: what its outbox keeps is not lost.
    """
    loss = asyncio.run(_accept_loss(context, known_service(service), topic, partition, dry_run=dry_run))
    answer(json, asdict(loss), lambda: typer.echo(_told(loss, dry_run=dry_run)))


async def _accept_loss(context: typer.Context, service: str, topic: str, partition: int, *, dry_run: bool) -> "Loss":
    from chassis.events import losses
    from chassis.events.logs import KafkaSilent

    async with database(context, service) as db:
        settings = kafka(context, service)
        try:
            if dry_run:
                return await losses.find_loss(db, settings, topic, partition)
            return await losses.accept_loss(
                db, settings, topic, partition, actor=getpass.getuser(), now=datetime.now(UTC)
            )
        except losses.NothingLost as nothing:
            refuse(str(nothing))
        except losses.PlaceMoved:
            refuse("the reader moved meanwhile: look again.")
        except KafkaSilent:
            refuse("Kafka does not answer.")


def _told(loss: "Loss", *, dry_run: bool) -> str:
    count = f"{'' if loss.whole else 'at least '}{loss.sequences} records"
    after = f"after {loss.after}" if loss.after else "from the beginning"
    following = loss.goes_on_with or "whatever comes next"
    verb = "would go on" if dry_run else "goes on"
    return (
        f"{loss.topic}[{loss.partition}] read as {loss.group}: {count} are lost {after}"
        f" ({loss.offsets} places of the log removed unread); it {verb} with {following} at offset {loss.goes_on_at}"
    )
