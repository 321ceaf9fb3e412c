"""`anju migrate`: brings a service's database to the newest schema."""

from typing import Annotated

import typer

from anju.cli.selection import SERVICES, known_service, selection, setting


def migrate(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help=f"{', '.join(SERVICES)}, or all.")],
) -> None:
    """Bring a service's database to the newest schema. Only forward, safe under load, and safe to repeat."""
    services = SERVICES if service == "all" else (known_service(service),)
    selection(context).enter(*(f"{name}-worker" for name in services))
    urls = {name: setting(f"ANJU_{name.upper()}_DATABASE_URL") for name in services}

    import asyncio

    from chassis.data.migrations import migrate as bring_up

    async def bring_up_all() -> None:
        for name, url in urls.items():  # one after the other: Alembic keeps one environment per process
            for step in await bring_up(url, name):
                typer.echo(f"{name}: {step}")

    asyncio.run(bring_up_all())
