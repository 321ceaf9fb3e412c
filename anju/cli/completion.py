"""What the shell completes beside names of commands and options: services, roles, units, topics, dead letters."""

from collections.abc import Iterable
from pathlib import Path

import typer

from anju.cli.selection import SERVICES, Selection

# Longer than this nobody waits for a completion.
_SECONDS = 2.0


def services(incomplete: str) -> list[str]:
    """Names of services."""
    return _beginning(SERVICES, incomplete)


def sides(incomplete: str) -> list[str]:
    """A service's processes."""
    return _beginning(("web", "worker"), incomplete)


def roles(incomplete: str) -> list[str]:
    """Roles of the development identity provider."""
    from anju.portal.personas import USUAL

    return _beginning(USUAL, incomplete)


def units(incomplete: str) -> list[str]:
    """Units of the demo's organisation."""
    import yaml

    from anju.local.binaries import CHECKOUT

    text = (CHECKOUT / "deploy" / "units.yaml").read_text(encoding="utf-8")
    return _beginning((unit["id"] for unit in yaml.safe_load(text)["units"]), incomplete)


def topics(incomplete: str) -> list[str]:
    """Names of declared topics."""
    from anju.topics.declared import BadTopicsFile, read_topics

    try:
        return _beginning(read_topics(), incomplete)
    except BadTopicsFile:
        return []


def dead_letters(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Numbers of a service's open dead letters, with what is wrong; nothing when its database does not answer."""
    import asyncio

    from sqlalchemy.exc import SQLAlchemyError

    from anju.cli.access import database
    from chassis.events import dead_letters as letters

    directory = context.find_root().params.get("data_dir")
    # The root's own function does not run while a shell completes.
    context.obj = Selection(Path(directory).absolute() if directory else None)

    async def ask() -> list[letters.DeadLetter]:
        async with asyncio.timeout(_SECONDS), database(context, context.params["service"]) as db:
            return await letters.list_(db)

    try:
        found = asyncio.run(ask())
    except (typer.Exit, typer.BadParameter, KeyError, TimeoutError, SQLAlchemyError, OSError):
        return []
    return [(str(each.id), f"{each.topic} {each.reason}") for each in found if str(each.id).startswith(incomplete)]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
