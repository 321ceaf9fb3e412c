"""`anju topics`: Kafka's topics and rights as deploy/kafka/topics.yaml declares them."""

from pathlib import Path
from typing import Annotated

import typer

from anju.cli.access import administration
from anju.cli.output import Json, answer
from anju.cli.selection import refuse

app = typer.Typer(help="Kafka's topics and rights.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Kafka's topics and rights."""


@app.command()
def apply(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; say what would be done.")] = False,
    file: Annotated[Path | None, typer.Option(help="Another file than deploy/kafka/topics.yaml.")] = None,
    json: Json = False,
) -> None:
    """Make topics and grant rights as declared, and report what differs and needs a person.

    Needs ANJU_KAFKA_BOOTSTRAP, ANJU_KAFKA_USERNAME and ANJU_KAFKA_PASSWORD of a user who may. ANJU_KAFKA_USERS,
    JSON `{name: password}`, names users to make where they are missing; ANJU_KAFKA_MECHANISM is PLAIN at a
    listener that knows no SCRAM users. Exits with 1 with
    --check when something is to be done, with 3 when something differs that is not mended by a command.
    """
    admin, users = administration(context)

    from anju.topics import cluster
    from anju.topics.declared import TOPICS_FILE, BadTopicsFile, read_topics

    try:
        outcome = cluster.apply(admin, read_topics(file or TOPICS_FILE), users, change=not check)
    except (BadTopicsFile, cluster.KafkaRefused) as error:
        refuse(str(error))

    def show() -> None:
        for each in outcome.done:
            typer.echo(f"{'to do: ' if check else ''}{each}")
        for each in outcome.drift:
            typer.echo(f"differs: {each}")
        if not (outcome.done or outcome.drift):
            typer.echo("all is as declared")

    answer(json, outcome.document(), show)
    if outcome.drift:
        raise typer.Exit(3)
    if check and outcome.done:
        raise typer.Exit(1)
