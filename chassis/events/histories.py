"""The consumer of a history: every record once and in order, its effects and its place in one transaction."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain

import structlog

from chassis.data.db import Database, Transaction
from chassis.events.apart import by_halves
from chassis.events.blame import bad_record
from chassis.events.dead_letters import Pointer, Replay, put_aside
from chassis.events.kafka import MAX_RECORDS
from chassis.events.positions import Claimed, Move, astray, claim, move
from chassis.events.reader import Bounds
from chassis.events.records import BadRecord, RawRecord, Record, Records, sequence_of
from chassis.events.sequence import Place, Sifted, sift
from chassis.run import metrics, tracing

__all__ = ["BadRecord", "HistoryReader", "HistorySubscription", "Record", "each"]

log = structlog.get_logger()

# A relay that goes back sends again within a second; a gap this old needs a person.
GAP_SECONDS = 30.0
# A topic that was made anew has the missing records at other offsets: after this long the log is read from its start,
# once for each gap. What was taken before is dropped by its number.
LOOK_BACK_SECONDS = 5.0

HandleOne = Callable[[Transaction, Record], Awaitable[None]]
Handle = Callable[[Transaction, Sequence[Record]], Awaitable[Sequence[tuple[Record, str]] | None]]


@dataclass(frozen=True, slots=True)
class HistorySubscription:
    """What a service does with a history's records.

    Args:
        group: of this service and this topic alone.
        handle: brings a batch's effects about in the given transaction and returns the bad ones with reasons (codes).
            What it raises is taken for transient, unless a record is to blame: the batch is held and tried again.
        handle_one: does it for a single record, raising BadRecord; used when a dead letter is replayed.
        most_records: how many one transaction takes; more where most of them change nothing.
    """

    topic: str
    group: str
    handle: Handle
    handle_one: HandleOne
    most_records: int = MAX_RECORDS


def each(handle_one: HandleOne) -> Handle:
    """Make `handle` from `handle_one`: each record in a savepoint, so that a bad one leaves nothing behind."""

    async def handle(tx: Transaction, records: Sequence[Record]) -> Sequence[tuple[Record, str]]:
        bad: list[tuple[Record, str]] = []
        for record in records:
            try:
                async with tx.savepoint():
                    await _handle_one(handle_one, tx, record)
            except BadRecord as error:
                bad.append((record, error.reason))
        return bad

    return handle


async def _handle_one(handle_one: HandleOne, tx: Transaction, record: Record) -> None:
    traced: AbstractContextManager[None] = nullcontext()
    if record.traceparent:
        traced = tracing.span(f"receive {record.topic}", record.traceparent, "consumer")
    with traced:
        try:
            await handle_one(tx, record)
        except Exception as error:
            if (bad := bad_record(error)) is None:
                raise
            # Not chained: the error's own text would quote the record.
            raise bad from None


@dataclass(slots=True)
class _Held:
    """A partition that this reader has loaded."""

    claim: int
    place: Place
    gap_began: float | None
    astray: int = 0


class HistoryReader:
    """Takes a history's records by the rule of chassis/events/sequence.py, partition by partition."""

    def __init__(self, db: Database, subscription: HistorySubscription, service: str) -> None:
        self._db = db
        self._subscription = subscription
        self._service = service
        self._held: dict[int, _Held] = {}
        self._lost: dict[int, str] = {}
        # For which missing record each partition's log was last read from its start.
        self._looked_back: dict[int, tuple[int, int | None]] = {}

    @property
    def topic(self) -> str:
        return self._subscription.topic

    @property
    def group(self) -> str:
        return self._subscription.group

    @property
    def most_records(self) -> int:
        return self._subscription.most_records

    def position(self, partition: int) -> int | None:
        """Return the next offset of a loaded partition."""
        held = self._held.get(partition)
        return held.place.next_offset if held else None

    def forget(self, partitions: Collection[int] | None = None) -> None:
        """Take nothing of these partitions, or of any, until they are loaded again."""
        for partition in list(self._held) if partitions is None else partitions:
            self._held.pop(partition, None)

    async def load(self, partitions: Collection[int], bounds: Bounds) -> Mapping[int, int]:
        """Claim partitions; return where to seek in those whose log still has the next record."""
        limits = await bounds(partitions)
        async with self._db.transaction() as tx:
            claimed = await claim(tx, self.group, self.topic, {each: limits[each][0] for each in partitions})
            back = {
                partition: Move(partition, its.claim, its.place, replace(its.place, next_offset=limits[partition][0]))
                for partition, its in claimed.items()
                if self._is_to_look_back(partition, its, *limits[partition])
            }
            if back:
                await move(tx, self.group, self.topic, list(back.values()))
        seeks: dict[int, int] = {}
        for partition, its in claimed.items():
            place = back[partition].after if partition in back else its.place
            if partition in back:
                log.warning("consumer-reads-from-the-start", topic=self.topic, group=self.group, partition=partition)
                self._looked_back[partition] = (place.epoch, place.sequence)
            if self._is_lost(partition, place, limits[partition][0]):
                continue
            began = time.monotonic() - its.gap_seconds if place.gap else None
            self._held[partition] = _Held(its.claim, place, began)
            seeks[partition] = place.next_offset
        return seeks

    def _is_to_look_back(self, partition: int, its: Claimed, start: int, end: int) -> bool:
        """Say whether the log is not the one that was read, or may be: read from its start it tells by the numbers."""
        if its.place.next_offset > end:
            return True
        awaited = (its.place.epoch, its.place.sequence)
        return (
            its.place.next_offset >= start
            and its.gap_seconds >= LOOK_BACK_SECONDS
            and self._looked_back.get(partition) != awaited
        )

    def _is_lost(self, partition: int, place: Place, start: int) -> bool:
        if place.next_offset >= start:
            self._lost.pop(partition, None)
            return False
        lost = (
            f"records {place.next_offset} to {start - 1} were lost to retention before they were read;"
            f" {self._republish(partition, place)}, then"
            f" `anju consumers accept-loss {self._service} {self.topic} {partition}`"
        )
        if self._lost.get(partition) != lost:
            self._lost[partition] = lost
            log.error("consumer-lost-records", topic=self.topic, group=self.group, partition=partition)
        return True

    async def astray(self) -> Collection[int]:
        """Return partitions whose place is not where it was left, or whose gap is old enough to look back for it."""
        held = {partition: (its.claim, its.place) for partition, its in self._held.items()}
        return await astray(self._db, self.group, self.topic, held) + [
            partition
            for partition, held in self._held.items()
            if _age(held.gap_began) >= LOOK_BACK_SECONDS
            and self._looked_back.get(partition) != (held.place.epoch, held.place.sequence)
        ]

    async def take(self, batch: Mapping[int, Sequence[RawRecord]]) -> Collection[int]:
        """Handle a batch and move the places, in one transaction; return partitions that must be sought again."""
        with metrics.CONSUMER_BATCH_SECONDS.labels(self.topic).time():
            sifted = {p: sift(self._held[p].place, raws) for p, raws in batch.items()}
            held = {p: self._held[p] for p in sifted}
            moved = {p: its for p, its in sifted.items() if its.after != held[p].place}
            if moved:
                moves = [Move(p, held[p].claim, held[p].place, its.after) for p, its in moved.items()]
                try:
                    await self._commit(moves, moved, self._subscription.handle)
                except Exception as error:
                    if bad_record(error) is None:
                        raise
                    # One record's fault ended the batch: find the one.
                    await self._commit(moves, moved, self._apart)
        for partition, its in sifted.items():
            self._note(partition, held[partition], its)
        return [p for p, its in sifted.items() if its.strays and batch[p][-1].offset >= its.after.next_offset]

    async def _apart(self, tx: Transaction, records: Sequence[Record]) -> Sequence[tuple[Record, str]]:
        return await by_halves(tx, records, self._subscription.handle)

    async def _commit(self, moves: Sequence[Move], moved: Mapping[int, Sifted], handle: Handle) -> None:
        taken = Records(
            chain.from_iterable(its.taken.raws for its in moved.values()),
            chain.from_iterable(its.taken.numbers for its in moved.values()),
        )
        pointers = [
            Pointer(self.topic, raw.partition, raw.offset, None, "unreadable-sequence")
            for its in moved.values()
            for raw in its.unreadable
        ]
        async with self._db.transaction() as tx:
            # First, so that a reader that was overtaken stops here.
            await move(tx, self.group, self.topic, moves)
            bad = (await handle(tx, taken) or ()) if taken else ()
            pointers += [
                Pointer(self.topic, record.partition, record.offset, (record.epoch, record.sequence), reason)
                for record, reason in bad
            ]
            await put_aside(tx, self.group, pointers)
        for pointer in pointers:
            log.warning(
                "record-put-aside",
                topic=self.topic,
                group=self.group,
                partition=pointer.partition,
                offset=pointer.offset,
                reason=pointer.reason,
            )

    def _note(self, partition: int, held: _Held, its: Sifted) -> None:
        """Keep what a committed batch came to."""
        if its.repeats:
            metrics.CONSUMER_REPEATS.labels(self.topic).inc(its.repeats)
        held.astray = held.astray + 1 if its.after == held.place else 0
        held.place = its.after
        if not its.after.gap:
            held.gap_began = None
        elif held.gap_began is None:
            held.gap_began = time.monotonic()
            log.warning("consumer-gap", topic=self.topic, partition=partition, **_awaited(its.after))

    def observe(self) -> None:
        """Set the gauges that grow with time."""
        for partition, held in self._held.items():
            metrics.CONSUMER_GAP_SECONDS.labels(self.topic, str(partition)).set(_age(held.gap_began))

    def health(self) -> list[str]:
        """Say which records are missing or lost."""
        problems = [f"{self.topic}[{partition}]: {lost}" for partition, lost in sorted(self._lost.items())]
        for partition, held in sorted(self._held.items()):
            age = _age(held.gap_began)
            if age >= GAP_SECONDS:
                missing = "{epoch}.{sequence}".format(**_awaited(held.place))
                problems.append(
                    f"{self.topic}[{partition}]: record {missing} has been missing for {age:.0f} s;"
                    f" {self._republish(partition, held.place)}"
                )
            if held.astray >= 3:
                problems.append(f"{self.topic}[{partition}]: the log has no record at offset {held.place.next_offset}")
        return problems

    def _republish(self, partition: int, place: Place) -> str:
        """The command by which the publisher, whose name a topic begins with, sends again what it keeps."""
        publisher = self.topic.partition(".")[0]
        first = "" if place.sequence is None else " --from {epoch}.{sequence}".format(**_awaited(place))
        return f"`anju outbox republish {publisher} {self.topic} --partition {partition}{first}`"

    def replay(self) -> Replay:
        """How a dead letter of this subscription is handled again."""

        async def handle(tx: Transaction, raw: RawRecord) -> None:
            numbered = sequence_of(raw)
            assert numbered is not None  # compared with the pointer's before
            await _handle_one(self._subscription.handle_one, tx, Record.of(raw, *numbered))

        return Replay(sequence_of, handle)


def _awaited(place: Place) -> dict[str, int]:
    return {"epoch": place.epoch, "sequence": (place.sequence or 0) + 1}


def _age(began: float | None) -> float:
    return 0.0 if began is None else time.monotonic() - began
