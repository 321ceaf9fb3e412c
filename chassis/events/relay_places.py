"""The relay's partitions: what Kafka acknowledged last, which kept rows may be sent again, what is lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.data.db import Database, Transaction
from chassis.events.logs import Place
from chassis.events.relay_rows import READ_BYTES, Acknowledged, Fenced, RelayRows, Row
from chassis.events.tables import outbox, relay_mark, relay_partitions

Number = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of one partition.

    Args:
        numbered: the last sequence given in the present epoch, 0 for none.
        again: somebody wishes that what is kept after this number is sent again.
    """

    numbered: int
    acknowledged: Acknowledged | None
    again: Number | None


_KEPT = sa.text("""
    SELECT id, topic, key, kind, type, event_id, value, traceparent, relay_number, partition, epoch, sequence
    FROM (
        SELECT *, sum(coalesce(octet_length(value), 0)) OVER order_of AS bytes, row_number() OVER order_of AS position
        FROM (
            SELECT * FROM outbox
            WHERE topic = :topic AND partition = :partition AND relay_number IS NOT NULL AND relay_number <= :sent
                AND (epoch, sequence) > (:epoch, :sequence)
            ORDER BY epoch, sequence LIMIT :limit
        ) AS next
        WINDOW order_of AS (ORDER BY epoch, sequence)
    ) AS measured
    WHERE bytes <= :bytes OR position = 1
    ORDER BY epoch, sequence
""")


async def known(rows: RelayRows) -> dict[Place, Known]:
    """Return what is known of each partition that was ever written to."""
    found = await rows.connection.execute(sa.select(relay_partitions))
    return {
        Place(row.topic, row.partition): Known(
            row.numbered if row.epoch == rows.epoch else 0,
            _acknowledged(row),
            None if row.again_sequence is None else (row.again_epoch, row.again_sequence),
        )
        for row in found
    }


def _acknowledged(row: sa.Row[tuple[object, ...]]) -> Acknowledged | None:
    if row.acknowledged_offset is None:
        return None
    number = row.acknowledged_epoch, row.acknowledged_sequence
    return Acknowledged(row.topic, row.partition, *number, row.acknowledged_offset)


async def kept(rows: RelayRows, place: Place, after: Number, limit: int) -> list[Row]:
    """Return rows of a partition that were sent and are kept, the oldest after a number."""
    found = await rows.connection.execute(
        _KEPT,
        {
            "topic": place.topic,
            "partition": place.partition,
            "sent": rows.sent,
            "epoch": after[0],
            "sequence": after[1],
            "limit": limit,
            "bytes": READ_BYTES,
        },
    )
    return [Row._make(row) for row in found]


async def settle(rows: RelayRows, place: Place, last: Acknowledged | None, *, lost: int = 0) -> None:
    """Note what stands in a partition's log now and how much was lost; a wish is fulfilled. Raises Fenced."""
    values = {
        "acknowledged_epoch": last and last.epoch,
        "acknowledged_sequence": last and last.sequence,
        "acknowledged_offset": last and last.offset,
        "again_epoch": None,
        "again_sequence": None,
    }
    ours = sa.exists().where(relay_mark.c.claim == rows.claim_number)
    done = await rows.connection.execute(
        sa.update(relay_partitions)
        .where(relay_partitions.c.topic == place.topic, relay_partitions.c.partition == place.partition, ours)
        .values(**values, lost=relay_partitions.c.lost + lost)
    )
    if done.rowcount != 1:
        raise Fenced
    rows.stands(place, last)


async def wishes(db: Database) -> bool:
    """Say whether somebody wishes that something is sent again."""
    async with db.read() as tx:
        wished = sa.exists().where(relay_partitions.c.again_sequence.is_not(None))
        return bool(await tx.scalar(sa.select(wished)))


@dataclass(frozen=True, slots=True)
class Lost:
    """How many records of a partition stand neither in Kafka nor here."""

    topic: str
    partition: int
    lost: int


async def losses(db: Database) -> list[Lost]:
    """Return every partition that lost records which nobody has accepted."""
    places = relay_partitions.c.topic, relay_partitions.c.partition
    async with db.read() as tx:
        rows = await tx.all(
            sa.select(*places, relay_partitions.c.lost).where(relay_partitions.c.lost > 0).order_by(*places)
        )
    return [Lost(**row._mapping) for row in rows]


async def accept_losses(tx: Transaction) -> list[Lost]:
    """Note that somebody knows of every loss; return them."""
    before = sa.select(relay_partitions).where(relay_partitions.c.lost > 0).with_for_update().cte("before")
    found = await tx.execute(
        sa.update(relay_partitions)
        .where(relay_partitions.c.topic == before.c.topic, relay_partitions.c.partition == before.c.partition)
        .values(lost=0)
        .returning(before.c.topic, before.c.partition, before.c.lost)
    )
    return sorted((Lost(**row._mapping) for row in found), key=lambda each: (each.topic, each.partition))


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish: kept rows of a partition from `first` on, `count` of them; older ones are not kept any more."""

    partition: int
    first: Number
    count: int


async def ask_again(tx: Transaction, topic: str, partitions: Sequence[int] | None, first: Number) -> list[Asked]:
    """Have the relay send again what is kept of a history's partitions (None: of all), from a number on."""
    sent = sa.select(relay_mark.c.sent).scalar_subquery()
    mine = [
        outbox.c.topic == topic,
        outbox.c.relay_number <= sent,
        sa.tuple_(outbox.c.epoch, outbox.c.sequence) >= sa.tuple_(*first),
    ]
    if partitions is not None:
        mine.append(outbox.c.partition.in_(partitions))
    order = outbox.c.epoch, outbox.c.sequence
    rows = await tx.all(
        sa.select(
            outbox.c.partition,
            sa.func.min(outbox.c.epoch).label("epoch"),
            sa.func.array_agg(sa.dialects.postgresql.aggregate_order_by(outbox.c.sequence, *order))[1].label("first"),
            sa.func.count().label("rows"),
        )
        .where(*mine)
        .group_by(outbox.c.partition)
        .order_by(outbox.c.partition)
    )
    asked = [Asked(row.partition, (row.epoch, row.first), row.rows) for row in rows]
    for each in asked:
        await tx.execute(
            sa.update(relay_partitions)
            .where(relay_partitions.c.topic == topic, relay_partitions.c.partition == each.partition)
            .values(again_epoch=each.first[0], again_sequence=each.first[1] - 1)
        )
    return asked
