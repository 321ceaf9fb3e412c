"""`anju outbox`: what a service still has to publish."""

import asyncio
import json as to_json
from dataclasses import asdict
from typing import Annotated

import typer

from anju.cli.access import database
from anju.cli.selection import chosen

app = typer.Typer(help="What a service still has to publish.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What a service still has to publish."""


@app.command()
def status(
    context: typer.Context,
    service: Annotated[str | None, typer.Argument(help="Whose outbox; every service's without it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
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
    if json:
        shown = {each: asdict(rows) for each, rows in found.items()}
        typer.echo(to_json.dumps(shown[service] if service else shown))
        return
    for each, rows in found.items():
        since = f", the oldest for {rows.oldest_seconds:.0f} s" if rows.unsent else ""
        sent = f"{rows.sent} of {rows.numbered} numbered in epoch {rows.epoch} sent"
        typer.echo(f"{each}: {rows.unsent} rows wait{since}; {sent}")
