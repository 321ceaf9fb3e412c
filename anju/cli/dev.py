"""`anju dev`: what only a demo or a test may do."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from anju.cli.completion import roles, units
from anju.cli.selection import refuse, selection

app = typer.Typer(help="For demos and tests only.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """For demos and tests only."""


@app.command()
def token(
    context: typer.Context,
    role: Annotated[str, typer.Option(help="Such as clerk, duty_officer, notice_author.", autocompletion=roles)],
    unit: Annotated[str | None, typer.Option(help="The role's usual unit without it.", autocompletion=units)] = None,
    name: Annotated[str | None, typer.Option(help="Role, unit and name make the person.")] = None,
) -> None:
    """Print a token of the development identity provider, valid for 12 hours, as the last line."""
    city = selection(context).city()

    from anju.portal.tokens import UnknownRole, issue, load_key

    key_file = city.environment("portal")["ANJU_PORTAL_KEY_FILE"]
    try:
        key = load_key(key_file)
    except FileNotFoundError:
        refuse(f"The identity provider of {city.directory} has not started yet: start it with `anju demo up`.")
    try:
        typer.echo(issue(key, city.url("portal"), role, unit, name, datetime.now(UTC)))
    except UnknownRole as error:
        refuse(str(error))
