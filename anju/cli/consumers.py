"""`anju consumers`: where a service's readers of histories are."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anju.cli.access import database, kafka
from anju.cli.completion import services
from anju.cli.output import Json, answer, table
from anju.cli.selection import chosen, refuse

if TYPE_CHECKING:
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
