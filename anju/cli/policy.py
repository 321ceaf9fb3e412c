"""`anju policy`: the rule packs."""

from pathlib import Path
from typing import Annotated

import typer

from anju.cli.output import Json, answer
from anju.cli.selection import refuse

app = typer.Typer(help="The rule packs: what laws and the city set.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The rule packs: what laws and the city set."""


@app.command()
def check(
    directory: Annotated[Path | None, typer.Argument(help="Another folder of packs than the installed one.")] = None,
    json: Json = False,
) -> None:
    """Read every rule pack as a service does at its start; a bad one is named with file, line and reason."""
    from policy.packs import BadPack, load

    try:
        packs = load(directory)
    except BadPack as error:
        refuse(str(error))
    document = [
        {name: getattr(pack, name) for name in ("id", "version", "district", "effective_from")} for pack in packs.all
    ]
    answer(json, document, lambda: typer.echo(f"{len(packs.all)} packs are good"))
