"""`anju demo`: the demo city of this machine, up, down, and how it is."""

from typing import Annotated

import typer

from anju.cli.output import Json, answer, table
from anju.cli.selection import refuse, selection

app = typer.Typer(
    help="The demo city on this machine: real Kafka, real PostgreSQL, every service.", no_args_is_help=True
)


@app.command()
def up(
    context: typer.Context,
    port_base: Annotated[
        int, typer.Option(min=1024, max=65000, help="Moves every port: portal here, services above.")
    ] = 8100,
    without_city: Annotated[
        bool, typer.Option("--without-city", help="Only parts and services, no simulated terminals and inspectors.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of a new simulated city: the same seed, the same city.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.01, max=20, help="Events a second in the simulated city; 2 without it.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when the city is ready, and leave it running.")
    ] = False,
) -> None:
    """Start the city and keep it running until Ctrl-C. Its data stays for the next time."""
    directory = selection(context).directory

    from anju.local.city import CityFailed

    try:
        if detach:
            from anju.local.detached import start

            chosen = [("--seed", seed), ("--rate", rate)]
            words = [word for name, value in chosen if value is not None for word in (name, str(value))]
            start(directory, port_base, [*words, *["--without-city"] * without_city], say=typer.echo)
        else:
            import asyncio

            from anju.local.launcher import run

            own = {"ANJU_CITY_SEED": seed, "ANJU_CITY_RATE": rate}
            simulation = {name: str(value) for name, value in own.items() if value is not None}
            asyncio.run(run(directory, port_base, simulation=None if without_city else simulation, say=typer.echo))
    except CityFailed as error:
        refuse(str(error))


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Say how the city is; exits with 0 while one lives here, ready or not."""
    import asyncio

    from anju.local.city import CityFailed
    from anju.local.status import of_city

    directory = selection(context).directory
    try:
        found = asyncio.run(of_city(directory))
    except CityFailed as error:
        refuse(str(error))
    if found is None:
        refuse(f"No city lives in {directory}.")

    def show() -> None:
        typer.echo(f"{'ready' if found['ready'] else 'not ready'}: {found['pages']}")
        columns = ("name", "state", "pid", "restarts", "log")
        table(columns, ([process[column] for column in columns] for process in found["processes"]))

    answer(json, found, show)


@app.command()
def down(context: typer.Context) -> None:
    """End the city within 15 seconds, open streams too. Its data stays."""
    from anju.local.detached import end

    directory = selection(context).directory
    if not end(directory):
        typer.echo(f"No city lives in {directory}.")
