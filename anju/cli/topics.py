"""`anju topics`: Kafka's topics and rights as deploy/kafka/topics.yaml declares them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anju.cli.access import administration, database, kafka
from anju.cli.output import Json, answer
from anju.cli.selection import SERVICES, refuse

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

    from anju.topics.declared import Topic

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


@app.command()
def grow(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="A history.")],
    file: Annotated[Path | None, typer.Option(help="Another file than deploy/kafka/topics.yaml.")] = None,
    json: Json = False,
) -> None:
    """Give a history the partitions that topics.yaml declares, once nothing of it is on its way or unread.

    Its publisher's workers are stopped meanwhile; web processes go on, and the outbox keeps what they write. Needs what
    `apply` needs, and the databases of the publisher and of every service that reads the topic.
    """
    admin, _users = administration(context)

    from anju.topics import cluster
    from anju.topics.declared import TOPICS_FILE, BadTopicsFile, read_topics

    try:
        topics = read_topics(file or TOPICS_FILE)
        if topic not in topics:
            raise typer.BadParameter("no topic of topics.yaml")
        before = cluster.partitions(admin, topic)
        wanted = _may_become(topic, topics[topic], before)
        if before < wanted:
            asyncio.run(_grow(context, admin, topic, topics[topic]))
    except (BadTopicsFile, cluster.KafkaRefused) as error:
        refuse(str(error))
    owner = topics[topic].owner
    document = {"topic": topic, "before": before, "partitions": wanted}
    more = f"{topic} has {wanted} partitions instead of {before}; start the workers of {owner} again"
    answer(json, document, lambda: typer.echo(more if before < wanted else f"{topic} has {wanted} partitions"))


def _may_become(name: str, topic: "Topic", before: int) -> int:
    """How many partitions are declared; refuses what cannot be."""
    if before == 0:
        refuse(f"there is no topic {name}: `anju topics apply` makes it as declared.")
    if before > topic.partitions:
        refuse(f"{name} has {before} partitions, and none can be taken away: declare {before}.")
    if topic.kind == "state" and before < topic.partitions:
        refuse(
            f"{name} is a state, whose keys would stand in two partitions: delete the topic and run"
            f" `anju topics apply`; the worker of {topic.owner} publishes it whole from its tables."
        )
    return topic.partitions


async def _grow(context: typer.Context, admin: "AdminClient", name: str, topic: "Topic") -> None:
    from anju.topics import cluster, growing
    from chassis.events.logs import KafkaSilent
    from chassis.events.recovery import RelayRuns, without_relay

    again = f"start a worker of {topic.owner} for a moment, and stop it when `anju outbox status` shows none waiting"
    async with database(context, topic.owner) as db:
        try:
            async with without_relay(db):
                if await growing.on_its_way(db):
                    refuse(f"some of what {topic.owner} publishes is on its way: {again}.")
                for reader in (each for each in topic.readers if each in SERVICES):
                    async with database(context, reader) as theirs:
                        left = await growing.unread(theirs, kafka(context, reader), name)
                    if left:
                        refuse(f"{reader} has {left} records of {name} to read: wait until it has, and try again.")
                await asyncio.to_thread(cluster.add_partitions, admin, name, topic.partitions)
        except RelayRuns:
            refuse(f"the relay of {topic.owner} sends: stop every worker of {topic.owner} first; its web goes on.")
        except KafkaSilent:
            refuse("Kafka does not answer.")
