"""`anju outbox`: what a service still has to publish."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from anju.cli.access import database
from anju.cli.completion import services
from anju.cli.output import Json, answer, table
from anju.cli.selection import chosen

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
    """Say how many rows wait to be sent, since when, and how far the relay is."""
    from chassis.events.relay_rows import Backlog, backlog

    async def ask() -> dict[str, Backlog]:
        found = {}
        for each in chosen(service):
            async with database(context, each) as db:
                found[each] = await backlog(db)
        return found

    found = asyncio.run(ask())
    document = {each: asdict(rows) for each, rows in found.items()}

    def show() -> None:
        columns = ("service", "waiting", "oldest, s", "sent", "numbered", "epoch")
        shown = ((rows.unsent, rows.oldest_seconds, rows.sent, rows.numbered, rows.epoch) for rows in found.values())
        table(columns, ((each, *cells) for each, cells in zip(found, shown, strict=True)))

    answer(json, document[service] if service else document, show)
