"""Consumers' places in their partitions, in their own database: claimed at assignment, moved with the effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from chassis.data.db import Database, Transaction
from chassis.data.prepared import Prepared
from chassis.events.sequence import Place
from chassis.events.tables import consumer_positions


class Fenced(Exception):
    """A place is not where this reader left it: another reader has claimed it, or somebody set it by hand."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A place, with the claim that this reader moves it by and the age of its gap (0 without one)."""

    claim: int
    place: Place
    gap_seconds: float


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where a transaction's effects bring one partition."""

    partition: int
    claim: int
    before: Place
    after: Place


# The rows are locked in the order of partitions, so that two readers wait for each other instead of blocking for good.
_CLAIM = """
    INSERT INTO consumer_positions AS p ("group", topic, partition, next_offset, sequence)
    SELECT :group, :topic, s.partition, s.start, CASE WHEN s.start = 0 THEN 0 END
    FROM unnest(CAST(:partitions AS int[]), CAST(:starts AS bigint[])) AS s (partition, start)
    ORDER BY s.partition
    ON CONFLICT ("group", topic, partition) DO UPDATE SET claim = p.claim + 1, next_offset = {next_offset}
    RETURNING partition, claim, next_offset, epoch, sequence, missing_to, seen_epoch, seen_sequence,
        coalesce(CAST(extract(epoch FROM clock_timestamp() - gap_since) AS float), 0) AS gap_seconds
"""
_CLAIM_AND_GO_ON = sa.text(_CLAIM.format(next_offset="p.next_offset"))
_CLAIM_AND_RESTART = sa.text(_CLAIM.format(next_offset="excluded.next_offset"))

_MOVE = Prepared(
    sa.text("""
    UPDATE consumer_positions AS p
    SET next_offset = m.next_offset, epoch = m.epoch, sequence = m.sequence, missing_to = m.missing_to,
        seen_epoch = m.seen_epoch, seen_sequence = m.seen_sequence,
        gap_since = CASE WHEN m.gap THEN coalesce(p.gap_since, clock_timestamp()) END
    FROM unnest(
        CAST(:partitions AS int[]), CAST(:claims AS bigint[]),
        CAST(:old_offsets AS bigint[]), CAST(:old_epochs AS bigint[]), CAST(:old_sequences AS bigint[]),
        CAST(:next_offsets AS bigint[]), CAST(:epochs AS bigint[]), CAST(:sequences AS bigint[]),
        CAST(:missing_to AS bigint[]), CAST(:seen_epochs AS bigint[]), CAST(:seen_sequences AS bigint[]),
        CAST(:gaps AS boolean[])
    ) AS m (
        partition, claim, old_offset, old_epoch, old_sequence, next_offset, epoch, sequence, missing_to, seen_epoch,
        seen_sequence, gap
    )
    WHERE p."group" = :group AND p.topic = :topic AND p.partition = m.partition AND p.claim = m.claim
        AND p.next_offset = m.old_offset AND p.epoch = m.old_epoch AND p.sequence IS NOT DISTINCT FROM m.old_sequence
""")
)


async def claim(
    tx: Transaction, group: str, topic: str, starts: Mapping[int, int], *, restart: bool = False
) -> dict[int, Claimed]:
    """Claim partitions, given where their logs start, and return their places.

    At first contact the place is the log's start: before number 1 where that is offset 0, before any number where
    retention has cut the log. With `restart` an older place is set back to the start too. A reader that claimed before
    moves nothing any more; what it has under way is waited for.
    """
    parameters = {"group": group, "topic": topic, "partitions": list(starts), "starts": list(starts.values())}
    claimed = await tx.execute(_CLAIM_AND_RESTART if restart else _CLAIM_AND_GO_ON, parameters)
    return {
        row.partition: Claimed(
            row.claim,
            Place(row.next_offset, row.epoch, row.sequence, row.missing_to, (row.seen_epoch, row.seen_sequence)),
            row.gap_seconds,
        )
        for row in claimed
    }


async def move(tx: Transaction, group: str, topic: str, moves: Sequence[Move]) -> None:
    """Move places in the transaction of the effects; raises Fenced when one is not where it was left."""
    moved = await tx.run(
        _MOVE,
        {
            "group": group,
            "topic": topic,
            "partitions": [each.partition for each in moves],
            "claims": [each.claim for each in moves],
            "old_offsets": [each.before.next_offset for each in moves],
            "old_epochs": [each.before.epoch for each in moves],
            "old_sequences": [each.before.sequence for each in moves],
            "next_offsets": [each.after.next_offset for each in moves],
            "epochs": [each.after.epoch for each in moves],
            "sequences": [each.after.sequence for each in moves],
            "missing_to": [each.after.missing_to for each in moves],
            "seen_epochs": [each.after.seen[0] for each in moves],
            "seen_sequences": [each.after.seen[1] for each in moves],
            "gaps": [each.after.gap for each in moves],
        },
    )
    if moved != len(moves):
        raise Fenced


async def astray(db: Database, group: str, topic: str, held: Mapping[int, tuple[int, Place]]) -> list[int]:
    """Return partitions whose place (claim, place) is not there any more: another reader's, moved by hand, restored."""
    columns = consumer_positions.c
    rows = sa.select(columns.partition, columns.claim, columns.next_offset, columns.epoch, columns.sequence)
    async with db.read() as tx:
        found = await tx.all(rows.where(columns.group == group, columns.topic == topic))
    there = {row.partition: tuple(row)[1:] for row in found}
    return [
        partition
        for partition, (number, place) in held.items()
        if there.get(partition) != (number, place.next_offset, place.epoch, place.sequence)
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """One partition's place as a person asks for it: `gap_since` while records are missing, for `gap_seconds`."""

    group: str
    topic: str
    partition: int
    next_offset: int
    epoch: int
    sequence: int | None
    gap_since: datetime | None
    gap_seconds: float


async def standings(db: Database) -> list[Standing]:
    """Return every place, in order of group, topic and partition."""
    names = ("group", "topic", "partition", "next_offset", "epoch", "sequence", "gap_since")
    age = sa.func.extract("epoch", sa.func.clock_timestamp() - consumer_positions.c.gap_since)
    gap_seconds = sa.func.coalesce(sa.cast(age, sa.Float), 0.0).label("gap_seconds")
    rows = sa.select(*(consumer_positions.c[name] for name in names), gap_seconds)
    async with db.read() as tx:
        return [Standing(**row._mapping) for row in await tx.all(rows.order_by(*consumer_positions.primary_key))]
