"""Dead letters: pointers to records that could not be handled, and what a person does about them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from sqlalchemy.dialects.postgresql import insert

from chassis.data.db import Database, Transaction
from chassis.events import kafka
from chassis.events.blame import bad_record
from chassis.events.kafka import KafkaSettings
from chassis.events.records import RawRecord, header
from chassis.events.tables import dead_letters
from contracts.envelope import HEADER_ID, HEADER_TYPE

READ_SECONDS = 10.0


class DeadLetterError(Exception):
    """What was asked for cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a record stands that could not be handled, and why (a code). Without a readable number: None."""

    topic: str
    partition: int
    offset: int
    numbered: tuple[int, int] | None
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A pointer that was put aside. `sequence` is `epoch.number`; state `open`, `replayed` or `discarded`."""

    id: int
    group: str
    topic: str
    partition: int
    offset: int
    sequence: str | None
    reason: str
    state: str
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be told of the record itself: nothing that it says of anybody."""

    letter: DeadLetter
    found: bool
    type: str | None = None
    event_id: str | None = None
    sent_at: datetime | None = None
    size: int | None = None


# How one consumer replays: the number of the raw record (None if unreadable), and its handling in a transaction.
@dataclass(frozen=True, slots=True)
class Replay:
    """How a consumer reads a record's number, and handles one record outside the sequence."""

    numbered: Callable[[RawRecord], tuple[int, int] | None]
    handle: Callable[[Transaction, RawRecord], Awaitable[None]]


async def put_aside(tx: Transaction, group: str, pointers: Sequence[Pointer]) -> None:
    """Note records that could not be handled; one that fails again after it was closed is open again."""
    if not pointers:
        return
    rows = [
        {
            "group": group,
            "topic": each.topic,
            "partition": each.partition,
            "offset": each.offset,
            "epoch": each.numbered[0] if each.numbered else None,
            "sequence": each.numbered[1] if each.numbered else None,
            "reason": each.reason,
        }
        for each in pointers
    ]
    fresh = insert(dead_letters).values(rows)
    await tx.execute(
        fresh.on_conflict_do_update(
            constraint="dead_letters_one_per_record",
            set_={
                "epoch": fresh.excluded.epoch,
                "sequence": fresh.excluded.sequence,
                "reason": fresh.excluded.reason,
                "state": "open",
                "closed_at": None,
            },
        )
    )


async def list_(db: Database, *, state: str | None = "open") -> list[DeadLetter]:
    """Return dead letters, oldest first; with `state` None all of them."""
    rows = sa.select(dead_letters).order_by(dead_letters.c.id)
    async with db.read() as tx:
        found = await tx.all(rows if state is None else rows.where(dead_letters.c.state == state))
    return [_letter(row) for row in found]


async def count_open(db: Database) -> dict[str, int]:
    """Return how many are open, by topic."""
    rows = sa.select(dead_letters.c.topic, sa.func.count().label("open")).where(dead_letters.c.state == "open")
    async with db.read() as tx:
        return {row.topic: row.open for row in await tx.all(rows.group_by(dead_letters.c.topic))}


async def show(db: Database, settings: KafkaSettings, letter_id: int) -> Shown:
    """Return a dead letter and what may be told of its record; raises DeadLetterError."""
    letter = await _find(db, letter_id)
    raw = await _read(settings, letter)
    if raw is None:
        return Shown(letter, found=False)
    return Shown(
        letter,
        found=True,
        type=(header(raw.headers, HEADER_TYPE) or b"").decode(errors="replace")[:200] or None,
        event_id=(header(raw.headers, HEADER_ID) or b"").decode(errors="replace")[:64] or None,
        sent_at=datetime.fromtimestamp(raw.timestamp / 1000, UTC),
        size=len(raw.value or b""),
    )


async def replay(db: Database, settings: KafkaSettings, letter_id: int, how: Callable[[str, str], Replay]) -> None:
    """Handle the record again, outside the sequence, and close the letter in the same transaction.

    Args:
        how: gives the consumer's way for (group, topic); `Consumers.replay_of`.

    Raises:
        DeadLetterError: no such letter, not open, its record is gone or another one, or it fails again.
    """
    letter = await _find(db, letter_id)
    if letter.sequence is None:
        raise DeadLetterError("The record has no readable number, so it cannot be told from another: publish it again.")
    raw = await _read(settings, letter)
    if raw is None:
        raise DeadLetterError("The record is no longer in the log.")
    way = how(letter.group, letter.topic)
    numbered = way.numbered(raw)
    if numbered is None or f"{numbered[0]}.{numbered[1]}" != letter.sequence:
        raise DeadLetterError("Another record stands there than the one that was put aside.")
    try:
        async with db.transaction() as tx:
            await _close(tx, letter, "replayed")
            await way.handle(tx, raw)
    except Exception as error:
        if (bad := bad_record(error)) is None:
            raise
        raise DeadLetterError(f"The record fails again: {bad.reason}.") from None


async def discard(db: Database, letter_id: int) -> None:
    """Close a dead letter without handling its record; raises DeadLetterError."""
    letter = await _find(db, letter_id)
    async with db.transaction() as tx:
        await _close(tx, letter, "discarded")


async def forget(tx: Transaction, cut_off: datetime, limit: int) -> int:
    """Delete letters that were closed at `cut_off` or before, at most `limit`; return how many. Open ones stay."""
    old = sa.select(dead_letters.c.id).where(dead_letters.c.closed_at <= cut_off).order_by(dead_letters.c.closed_at)
    old = old.limit(limit).with_for_update(skip_locked=True)
    return (await tx.execute(sa.delete(dead_letters).where(dead_letters.c.id.in_(old)))).rowcount


async def _close(tx: Transaction, letter: DeadLetter, state: str) -> None:
    # Of two who close at once the second finds it closed, and its effects are rolled back.
    closed = await tx.execute(
        sa.update(dead_letters)
        .where(dead_letters.c.id == letter.id, dead_letters.c.state == "open")
        .values(state=state, closed_at=sa.func.clock_timestamp())
    )
    if closed.rowcount != 1:
        raise DeadLetterError(f"Dead letter {letter.id} is closed.")


async def _find(db: Database, letter_id: int) -> DeadLetter:
    async with db.read() as tx:
        row = await tx.one_or_none(sa.select(dead_letters).where(dead_letters.c.id == letter_id))
    if row is None:
        raise DeadLetterError(f"There is no dead letter {letter_id}.")
    return _letter(row)


def _letter(row: sa.Row[tuple[object, ...]]) -> DeadLetter:
    values = dict(row._mapping)
    epoch, number = values.pop("epoch"), values.pop("sequence")
    return DeadLetter(**values, sequence=None if epoch is None else f"{epoch}.{number}")


async def _read(settings: KafkaSettings, letter: DeadLetter) -> RawRecord | None:
    """Read the record at the pointer; None if the log does not have that offset any more."""
    reader = kafka.reader(settings)
    place = TopicPartition(letter.topic, letter.partition)
    try:
        await kafka.start(reader.start(), READ_SECONDS)
        async with asyncio.timeout(READ_SECONDS):
            reader.assign([place])
            start, end = await reader.beginning_offsets([place]), await reader.end_offsets([place])
            if not start[place] <= letter.offset < end[place]:
                return None
            reader.seek(place, letter.offset)
            raw: RawRecord = await reader.getone(place)
            return raw if raw.offset == letter.offset else None
    except (KafkaError, TimeoutError) as error:
        raise DeadLetterError(f"Kafka does not answer for {letter.topic}.") from error
    finally:
        await kafka.close_consumer(reader)
