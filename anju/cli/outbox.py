"""`anju outbox`: what a service still has to publish."""

import asyncio
import json as to_json
from dataclasses import asdict
from typing import Annotated

import typer

from anju.cli.access import database

app = typer.Typer(help="What a service still has to publish.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What a service still has to publish."""


@app.command()
def status(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Whose outbox.")],
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say how many rows wait to be sent, since when, and how far the relay is."""
    from chassis.events.relay_rows import Backlog, backlog

    async def ask() -> Backlog:
        async with database(context, service) as db:
            return await backlog(db)

    found = asyncio.run(ask())
    if json:
        typer.echo(to_json.dumps(asdict(found)))
        return
    since = f", the oldest for {found.oldest_seconds:.0f} s" if found.unsent else ""
    typer.echo(
        f"{found.unsent} rows wait{since}; {found.sent} of {found.numbered} numbered in epoch {found.epoch} sent"
    )
