"""`anju topics`: Kafka's topics and rights as deploy/kafka/topics.yaml declares them."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from anju.cli.selection import refuse, selection, setting

app = typer.Typer(help="Kafka's topics and rights.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Kafka's topics and rights."""


@app.command()
def apply(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; say what would be done.")] = False,
    file: Annotated[Path | None, typer.Option(help="Another file than deploy/kafka/topics.yaml.")] = None,
) -> None:
    """Make topics and grant rights as declared, and report what differs and needs a person.

    Needs ANJU_KAFKA_BOOTSTRAP, ANJU_KAFKA_USERNAME and ANJU_KAFKA_PASSWORD of a user who may. ANJU_KAFKA_USERS,
    JSON `{name: password}`, names users of departments to make where they are missing. Exits with 1 with
    --check when something is to be done, with 3 when something differs that is not mended by a command.
    """
    selection(context).enter_administration()
    connection = [setting(f"ANJU_KAFKA_{name}") for name in ("BOOTSTRAP", "USERNAME", "PASSWORD")]
    users: dict[str, str] = json.loads(os.environ.get("ANJU_KAFKA_USERS", "{}"))

    from anju import topics

    try:
        declared = topics.read_topics(file or topics.TOPICS_FILE)
        admin = topics.administrator(*connection)
        made = topics.ensure_users(admin, users, change=not check) if users else []
        outcome = topics.apply(admin, declared, change=not check)
        outcome.done[:0] = made
    except (topics.BadTopicsFile, topics.KafkaRefused) as error:
        refuse(str(error))
    for line in outcome.done:
        typer.echo(f"{'to do: ' if check else ''}{line}")
    for line in outcome.drift:
        typer.echo(f"differs: {line}")
    if outcome.drift:
        raise typer.Exit(3)
    if check and outcome.done:
        raise typer.Exit(1)
