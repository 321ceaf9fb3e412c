"""A reader of a history that can only go on without some records: what is lost, and how a person accepts it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from chassis.data import audit
from chassis.data.db import Database, Transaction
from chassis.events.kafka import KafkaSettings
from chassis.events.logs import Logs, Place, Span, open_logs
from chassis.events.records import sequence_of
from chassis.events.tables import consumer_positions

Number = tuple[int, int]


class NothingLost(Exception):
    """The reader goes on by itself; the message says why."""


class PlaceMoved(Exception):
    """The reader moved while its log was looked at."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a reader will never take.

    Args:
        after: number of the last record that was taken, as `epoch.number`; empty before the first.
        goes_on_with: number of the next record that stands in the log; None when anything may follow.
        goes_on_at: offset of that record.
        sequences: how many numbers lie between; of an epoch that ended meanwhile only those of the new one are known.
        whole: whether that is all; else more are lost, and nobody can say how many.
        offsets: how many places of the log were removed before they were read, repeats among them.
    """

    group: str
    topic: str
    partition: int
    after: str
    goes_on_with: str | None
    goes_on_at: int
    sequences: int
    whole: bool
    offsets: int


async def find_loss(db: Database, kafka: KafkaSettings, topic: str, partition: int) -> Loss:
    """Return what the reader of a partition cannot have any more; raises NothingLost and KafkaSilent."""
    return (await _find(db, kafka, topic, partition))[1]


async def accept_loss(
    db: Database, kafka: KafkaSettings, topic: str, partition: int, *, actor: str, now: datetime
) -> Loss:
    """Set the reader to the first record that it can have; a reader that runs goes on there within seconds.

    Raises NothingLost, PlaceMoved and KafkaSilent.
    """
    row, loss = await _find(db, kafka, topic, partition)
    async with db.transaction() as tx:
        await _set(tx, row, loss)
        detail: dict[str, str | int | bool | None] = {
            "partition": partition,
            "after": loss.after,
            "goes_on_with": loss.goes_on_with,
            "sequences": loss.sequences,
        }
        audit.record(tx, audit.Entry(actor, "command-line", "events.loss-accepted", topic, detail=detail), now)
    return loss


async def _find(
    db: Database, kafka: KafkaSettings, topic: str, partition: int
) -> tuple[sa.Row[tuple[object, ...]], Loss]:
    here = consumer_positions.c.topic == topic, consumer_positions.c.partition == partition
    async with db.read() as tx:
        row = await tx.one_or_none(sa.select(consumer_positions).where(*here))
    if row is None:
        raise NothingLost(f"No reader of this service has a place in {topic}[{partition}].")
    async with open_logs(kafka) as logs:
        spans = await logs.spans([each for each in await logs.places([topic]) if each.partition == partition])
        span = spans.get(Place(topic, partition), Span(0, 0))
        if row.gap_since is None and row.next_offset >= span.start:
            raise NothingLost(f"{topic}[{partition}] misses nothing: its reader goes on at offset {row.next_offset}.")
        taken = None if row.sequence is None else (row.epoch, row.sequence)
        found = await _next_standing(logs, Place(topic, partition), span, taken)
    return row, _loss(row, span, taken, found)


async def _next_standing(logs: Logs, place: Place, span: Span, taken: Number | None) -> tuple[Number, int] | None:
    """Return the lowest number above the taken one that stands in the log, and where it stands first."""
    lowest: tuple[Number, int] | None = None
    async for _place, raws in logs.read({place: span}):
        for raw in raws:
            number = sequence_of(raw)
            if number is None or (taken is not None and number <= taken):
                continue
            if lowest is None or (taken is not None and number < lowest[0]):
                lowest = number, raw.offset
    return lowest


def _loss(row: sa.Row[tuple[object, ...]], span: Span, taken: Number | None, found: tuple[Number, int] | None) -> Loss:
    sequences, whole = 0, True
    if found is None:
        whole = row.next_offset >= span.start
    elif taken is None or found[0][0] != taken[0]:
        # Of the epoch before nobody knows the last number.
        sequences, whole = found[0][1] - 1, False
    else:
        sequences = found[0][1] - taken[1] - 1
    return Loss(
        group=row.group,
        topic=row.topic,
        partition=row.partition,
        after="" if not taken or taken == (0, 0) else f"{taken[0]}.{taken[1]}",
        goes_on_with=None if found is None else f"{found[0][0]}.{found[0][1]}",
        goes_on_at=span.end if found is None else found[1],
        sequences=sequences,
        whole=whole,
        offsets=max(0, span.start - row.next_offset),
    )


async def _set(tx: Transaction, row: sa.Row[tuple[object, ...]], loss: Loss) -> None:
    """Move the place, which fences the reader: it loads the place anew."""
    columns = consumer_positions.c
    epoch, sequence = row.epoch, None
    if loss.goes_on_with is not None:
        epoch, following = map(int, loss.goes_on_with.split("."))
        sequence = following - 1
    moved = await tx.execute(
        sa.update(consumer_positions)
        .where(columns.group == row.group, columns.topic == row.topic, columns.partition == row.partition)
        .where(columns.next_offset == row.next_offset, columns.epoch == row.epoch)
        .where(columns.sequence.is_not_distinct_from(row.sequence))
        .values(
            claim=columns.claim + 1,
            next_offset=loss.goes_on_at,
            epoch=epoch,
            sequence=sequence,
            missing_to=0,
            seen_epoch=0,
            seen_sequence=0,
            gap_since=None,
        )
    )
    if moved.rowcount != 1:
        raise PlaceMoved
