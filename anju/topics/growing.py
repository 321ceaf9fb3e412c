"""When a history may get more partitions: nothing of it is on its way, and every service has read what stands there.

A key's next record may go to another partition than its last one. Whoever has read the last one by then sees them in
their order all the same.
"""

from chassis.data.db import Database
from chassis.events.kafka import KafkaSettings
from chassis.events.logs import open_logs
from chassis.events.positions import standings
from chassis.events.relay_rows import backlog


async def on_its_way(publisher: Database) -> int:
    """How many rows of a publisher have a partition already and are not acknowledged."""
    rows = await backlog(publisher)
    return rows.numbered - rows.sent


async def unread(reader: Database, kafka: KafkaSettings, topic: str) -> int:
    """How many records of a topic a service has not taken; raises KafkaSilent."""
    taken = {each.partition: each.next_offset for each in await standings(reader) if each.topic == topic}
    async with open_logs(kafka) as logs:
        spans = await logs.spans(await logs.places([topic]))
    return sum(_left(span.start, span.end, taken.get(place.partition)) for place, span in spans.items())


def _left(start: int, end: int, next_offset: int | None) -> int:
    return max(0, end - (start if next_offset is None else next_offset))
