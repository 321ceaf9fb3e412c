"""The relay's statements: which rows to send, the numbers they get, and how far Kafka has acknowledged them.

Each is one statement and so one transaction, and each that writes names the value it expects to replace: of two relays
that both think they are the one, only the later to claim writes anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.data import prepared
from chassis.data.db import Database, Transaction
from chassis.data.prepared import Prepared
from chassis.data.transaction import driver_of, fetch, run
from chassis.events.tables import outbox, outbox_epoch, relay_mark, relay_partitions

# Rows are read up to this many bytes of values at once, so that 500 rows of 900 KiB do not fill the memory.
READ_BYTES = 8 * 1024 * 1024


class Fenced(Exception):
    """Another relay has taken over."""


class Row(NamedTuple):
    """A numbered outbox row. `sequence` counts within topic, partition and epoch; `relay_number` over all rows."""

    id: int
    topic: str
    key: str
    kind: str
    type: str
    event_id: UUID
    value: bytes | None
    traceparent: str | None
    relay_number: int
    partition: int
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The last record of one partition that Kafka has confirmed, and the offset at which it stands."""

    topic: str
    partition: int
    epoch: int
    sequence: int
    offset: int


# Both stop before the row whose value would pass READ_BYTES, but give at least one row.
_UNNUMBERED = Prepared(
    sa.text("""
    SELECT id, topic, key, kind, type, event_id, value, traceparent
    FROM (
        SELECT *, sum(coalesce(octet_length(value), 0)) OVER (ORDER BY id) AS bytes, min(id) OVER () AS first
        FROM (SELECT * FROM outbox WHERE relay_number IS NULL ORDER BY id LIMIT :limit) AS oldest
    ) AS measured
    WHERE bytes <= :bytes OR id = first
    ORDER BY id
""")
)
_UNSENT = Prepared(
    sa.text("""
    SELECT id, topic, key, kind, type, event_id, value, traceparent, relay_number, partition, epoch, sequence
    FROM (
        SELECT *, sum(coalesce(octet_length(value), 0)) OVER (ORDER BY relay_number) AS bytes
        FROM (SELECT * FROM outbox WHERE relay_number > :sent ORDER BY relay_number LIMIT :limit) AS next
    ) AS measured
    WHERE bytes <= :bytes OR relay_number = :sent + 1
    ORDER BY relay_number
""")
)

_NUMBER = Prepared(
    sa.text("""
    WITH moved AS (
        UPDATE relay_mark SET numbered = :after WHERE claim = :claim AND numbered = :before RETURNING 1
    ), counted AS (
        INSERT INTO relay_partitions (topic, partition, epoch, numbered)
        SELECT p.topic, p.partition, :epoch, p.numbered
        FROM moved, unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:counts AS bigint[]))
            AS p (topic, partition, numbered)
        ON CONFLICT (topic, partition) DO UPDATE SET epoch = excluded.epoch, numbered = excluded.numbered
    )
    UPDATE outbox SET relay_number = n.relay_number, partition = n.partition, epoch = :epoch, sequence = n.sequence
    FROM moved, unnest(
        CAST(:ids AS bigint[]), CAST(:relay_numbers AS bigint[]), CAST(:row_partitions AS int[]),
        CAST(:sequences AS bigint[])
    ) AS n (id, relay_number, partition, sequence)
    -- The range spares a scan of the table, which the planner would choose not knowing how few the rows are.
    WHERE outbox.id = n.id AND outbox.id BETWEEN :first AND :last AND outbox.relay_number IS NULL
""")
)

# Does not wait for the disk: a mark that a crash of the database sets back makes the relay send again what it has sent,
# as after any failure. The numbers are given before that, and wait.
_ADVANCE = Prepared(
    sa.text("""
    WITH moved AS (
        UPDATE relay_mark SET sent = :after WHERE claim = :claim AND sent = :before RETURNING 1
    )
    UPDATE relay_partitions
    SET acknowledged_epoch = a.epoch, acknowledged_sequence = a.sequence, acknowledged_offset = a.offset
    FROM moved, set_config('synchronous_commit', 'off', true), unnest(
        CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:epochs AS bigint[]), CAST(:sequences AS bigint[]),
        CAST(:offsets AS bigint[])
    ) AS a (topic, partition, epoch, sequence, "offset")
    WHERE relay_partitions.topic = a.topic AND relay_partitions.partition = a.partition
""")
)

_BACKLOG = sa.text("""
    SELECT epoch, numbered, sent, numbered - sent + unnumbered.count AS unsent,
        coalesce(CAST(extract(epoch FROM clock_timestamp() - least(unnumbered.oldest, first.oldest)) AS float), 0)
            AS oldest_seconds
    FROM outbox_epoch, relay_mark,
        LATERAL (SELECT count(*), min(created_at) AS oldest FROM outbox WHERE relay_number IS NULL) AS unnumbered,
        LATERAL (SELECT min(created_at) AS oldest FROM outbox WHERE relay_number > sent) AS first
""")


class RelayRows:
    """The outbox as the relay that holds claim `claim` sees it. `numbered` and `sent` are relay numbers."""

    def __init__(self, connection: AsyncConnection, *, epoch: int, claim: int, numbered: int, sent: int) -> None:
        self.connection = connection
        self._driver = driver_of(connection)
        self.claim_number = claim
        self.epoch = epoch
        self.numbered = numbered
        self.sent = sent
        self._counts: dict[tuple[str, int], int] = {}
        self._offsets: dict[tuple[str, int], int] = {}

    @classmethod
    async def claim(cls, connection: AsyncConnection) -> "RelayRows":
        """Take over; `connection` is in autocommit mode. Fences every relay that claimed before."""
        claimed = (
            await connection.execute(
                sa.update(relay_mark).values(claim=relay_mark.c.claim + 1).returning(*relay_mark.c)
            )
        ).one()
        epoch = (await connection.execute(sa.select(outbox_epoch.c.epoch))).scalar_one()
        rows = cls(connection, epoch=epoch, claim=claimed.claim, numbered=claimed.numbered, sent=claimed.sent)
        for found in await connection.execute(sa.select(relay_partitions)):
            if found.epoch == epoch:
                rows._counts[found.topic, found.partition] = found.numbered
            if found.acknowledged_offset is not None:
                rows._offsets[found.topic, found.partition] = found.acknowledged_offset
        return rows

    async def unnumbered(self, limit: int) -> Sequence[prepared.Row]:
        """Return rows that no relay has numbered, oldest first: columns id, topic, key, …

        An uncommitted transaction's rows are not seen, and get their numbers after rows with greater ids: the order
        is that of ids only within one key, where a use case's lock makes commit order the same.
        """
        return await fetch(self._driver, _UNNUMBERED, {"limit": limit, "bytes": READ_BYTES})

    async def unsent(self, limit: int) -> list[Row]:
        """Return numbered rows after the mark, in the order in which they are to be sent."""
        found = await fetch(self._driver, _UNSENT, {"sent": self.sent, "limit": limit, "bytes": READ_BYTES})
        return [Row._make(row) for row in found]

    async def number(self, found: Sequence[prepared.Row], partitions: Sequence[int]) -> list[Row]:
        """Give rows of `unnumbered` their numbers, each with the partition that stands at its place; raises Fenced."""
        counts = dict(self._counts)
        rows: list[Row] = []
        for row, partition in zip(found, partitions, strict=True):
            place = (row.topic, partition)
            counts[place] = counts.get(place, 0) + 1
            rows.append(Row._make((*row, self.numbered + len(rows) + 1, partition, self.epoch, counts[place])))
        touched = sorted({(row.topic, row.partition) for row in rows})
        done = await run(
            self._driver,
            _NUMBER,
            {
                "claim": self.claim_number,
                "before": self.numbered,
                "after": self.numbered + len(rows),
                "epoch": self.epoch,
                "topics": [topic for topic, _ in touched],
                "partitions": [partition for _, partition in touched],
                "counts": [counts[place] for place in touched],
                "first": rows[0].id,
                "last": rows[-1].id,
                "ids": [row.id for row in rows],
                "relay_numbers": [row.relay_number for row in rows],
                "row_partitions": [row.partition for row in rows],
                "sequences": [row.sequence for row in rows],
            },
        )
        if done != len(rows):
            raise Fenced
        self._counts = counts
        self.numbered += len(rows)
        return rows

    async def advance(self, sent: int, acknowledged: Iterable[Acknowledged]) -> None:
        """Move the mark to relay number `sent`, up to which Kafka has acknowledged all; raises Fenced."""
        places = list(acknowledged)
        done = await run(
            self._driver,
            _ADVANCE,
            {
                "claim": self.claim_number,
                "before": self.sent,
                "after": sent,
                "topics": [place.topic for place in places],
                "partitions": [place.partition for place in places],
                "epochs": [place.epoch for place in places],
                "sequences": [place.sequence for place in places],
                "offsets": [place.offset for place in places],
            },
        )
        if done != len(places):
            raise Fenced
        self.sent = sent
        for place in places:
            self.stands((place.topic, place.partition), place)

    def stands(self, place: tuple[str, int], last: Acknowledged | None) -> None:
        """Keep where a partition's last acknowledged record stands."""
        if last is None:
            self._offsets.pop(place, None)
        else:
            self._offsets[place] = last.offset

    def went_back(self, acknowledged: Iterable[Acknowledged]) -> bool:
        """Say whether an offset is not beyond the last one of its partition: its log is a new one."""
        return any(each.offset <= self._offsets.get((each.topic, each.partition), -1) for each in acknowledged)


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete sent rows that were written at `cut_off` or before, at most `limit`; return how many.

    Kafka has acknowledged what lies below the mark; what does not is kept however old it is.
    """
    sent = sa.select(relay_mark.c.sent).scalar_subquery()
    oldest = sa.select(outbox.c.id, outbox.c.created_at).where(outbox.c.relay_number <= sent)
    oldest_rows = oldest.order_by(outbox.c.relay_number).limit(limit).subquery()
    old = sa.select(oldest_rows.c.id).where(oldest_rows.c.created_at <= cut_off)
    return (await tx.execute(sa.delete(outbox).where(outbox.c.id.in_(old)))).rowcount


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far a service's relay is: the epoch of its numbers, the last one given, the mark, and what waits."""

    epoch: int
    numbered: int
    sent: int
    unsent: int
    oldest_seconds: float


async def backlog(db: Database) -> Backlog:
    """Return how far the relay is; `oldest_seconds` is 0 when nothing waits."""
    async with db.read() as tx:
        return Backlog(**(await tx.execute(_BACKLOG)).one()._mapping)
