"""`anju audit`: the append-only log of who read whose data."""

import asyncio
from typing import Annotated

import typer

from anju.cli.access import database
from anju.cli.selection import refuse

app = typer.Typer(help="The log of who read whose data.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The log of who read whose data."""


@app.command()
def verify(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Whose log.")],
) -> None:
    """Walk the log's chain and name the first row that was changed, removed or put in."""
    from chassis.data import audit

    async def walk() -> audit.ChainReport:
        async with database(context, service) as db:
            return await audit.verify(db)

    report = asyncio.run(walk())
    if report.first_bad is not None:
        refuse(f"row {report.first_bad} of {service}'s audit log: {report.why}.")
    typer.echo(f"{report.rows} rows, none changed")
