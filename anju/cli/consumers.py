"""`anju consumers`: where a service's readers of histories are."""

import asyncio
import json as to_json
from typing import Annotated, Any

import typer

from anju.cli.access import database, kafka
from anju.cli.selection import chosen, refuse

app = typer.Typer(help="Where a service's readers of histories are.", no_args_is_help=True)

# A broker that does not answer by then is down.
KAFKA_SECONDS = 10.0


@app.callback()
def _group() -> None:
    """Where a service's readers of histories are."""


@app.command()
def status(
    context: typer.Context,
    service: Annotated[str | None, typer.Argument(help="Whose consumers; every service's without it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say for each partition where the service is, how many records follow, and whether some are missing."""
    places = [place for each in chosen(service) for place in asyncio.run(_places(context, each))]
    if json:
        typer.echo(to_json.dumps(places, default=str))
        return
    for place in places:
        gap = f", records missing since {place['gap_since']:%Y-%m-%d %H:%M:%S} UTC" if place["gap_since"] else ""
        typer.echo(
            f"{place['group']} {place['topic']}/{place['partition']}: next offset {place['next_offset']},"
            f" {place['lag']} behind, epoch {place['epoch']}, sequence {place['sequence']}{gap}"
        )


async def _places(context: typer.Context, service: str) -> list[dict[str, Any]]:
    import sqlalchemy as sa
    from aiokafka import TopicPartition
    from aiokafka.errors import KafkaError

    from chassis.events.kafka import close_consumer, reader
    from chassis.events.tables import consumer_positions as positions

    shown = [
        positions.c[name] for name in ("group", "topic", "partition", "next_offset", "epoch", "sequence", "gap_since")
    ]
    async with database(context, service) as db, db.read() as tx:
        rows = await tx.all(sa.select(*shown).order_by(positions.c.group, positions.c.topic, positions.c.partition))
    partitions = [TopicPartition(row.topic, row.partition) for row in rows]
    if not partitions:
        return []
    consumer = reader(kafka(context, service))
    try:
        async with asyncio.timeout(KAFKA_SECONDS):
            await consumer.start()
            ends = await consumer.end_offsets(partitions)
    except (KafkaError, TimeoutError):
        refuse("Kafka does not answer.")
    finally:
        await close_consumer(consumer)
    return [
        dict(row._mapping) | {"lag": ends[partition] - row.next_offset}
        for row, partition in zip(rows, partitions, strict=True)
    ]
