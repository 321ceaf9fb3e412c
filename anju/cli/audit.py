"""`anju audit`: the append-only log of who read whose data."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from anju.cli.access import database
from anju.cli.completion import services
from anju.cli.keys import keyring_of
from anju.cli.output import Json, answer
from anju.cli.selection import refuse

app = typer.Typer(help="The log of who read whose data.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The log of who read whose data."""


@app.command()
def verify(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Whose log.", autocompletion=services)],
    json: Json = False,
) -> None:
    """Walk the log's chain and name the first row that was changed, removed or put in."""
    from chassis.data import audit

    _names, keyring = keyring_of(context, service)

    async def walk() -> audit.ChainReport:
        async with database(context, service) as db:
            return await audit.verify(db, keyring)

    report = asyncio.run(walk())
    answer(json, asdict(report), lambda: None if report.first_bad else typer.echo(f"{report.rows} rows, none changed"))
    if report.first_bad is not None:
        refuse(f"row {report.first_bad} of {service}'s audit log: {report.why}.")
