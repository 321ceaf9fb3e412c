"""`anju migrate`: brings a service's database to the newest schema."""

from typing import Annotated

import typer

from anju.cli.access import why_not
from anju.cli.completion import services as names
from anju.cli.output import Json, answer
from anju.cli.selection import SERVICES, known_service, refuse, selection, setting


def migrate(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help=f"{', '.join(SERVICES)}, or all.", autocompletion=names)],
    json: Json = False,
) -> None:
    """Bring a service's database to the newest schema. Only forward, safe under load, and safe to repeat."""
    services = SERVICES if service == "all" else (known_service(service),)
    selection(context).enter(*(f"{name}-worker" for name in services))
    urls = {name: setting(f"ANJU_{name.upper()}_DATABASE_URL") for name in services}

    import asyncio

    from alembic.script.revision import RevisionError
    from alembic.util import CommandError
    from asyncpg import PostgresError
    from sqlalchemy.exc import SQLAlchemyError

    from chassis.data.migrations import migrate as bring_up

    async def bring_up_all() -> dict[str, list[str]]:
        done = {}
        for name, url in urls.items():  # one after the other: Alembic keeps one environment per process
            try:
                done[name] = await bring_up(url, name)
            except (OSError, SQLAlchemyError, PostgresError) as error:
                refuse(f"the schema of {name} is as it was: its database {why_not(error, name)}.")
            except (CommandError, RevisionError):
                refuse(f"the schema of {name} is newer than this program: go on with the newer version of Anju.")
        return done

    done = asyncio.run(bring_up_all())

    def show() -> None:
        for name, steps in done.items():
            for step in steps:
                typer.echo(f"{name}: {step}")

    answer(json, done, show)
