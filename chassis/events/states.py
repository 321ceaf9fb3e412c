"""The consumer of a state: read from the start at every assignment, newer versions applied, vanished keys dropped."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import structlog

from chassis.data.db import Database, Transaction
from chassis.events.apart import by_halves
from chassis.events.blame import bad_record
from chassis.events.dead_letters import Pointer, Replay, put_aside
from chassis.events.kafka import MAX_RECORDS, partition_of
from chassis.events.positions import Move, astray, claim, move
from chassis.events.reader import Bounds
from chassis.events.records import BadRecord, RawRecord, StateRecord
from chassis.events.sequence import Place
from chassis.run import metrics, tracing

__all__ = ["StateReader", "StateRecord", "StateSubscription"]

log = structlog.get_logger()

# A topic that was deleted and made anew is filled again within a minute or two by its publisher (relay.LOOK_SECONDS and
# the comparison): what this copy holds is right meanwhile, and what the log does not show by then has ended.
DROP_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class StateSubscription:
    """What a service keeps of a state.

    Args:
        group: of this service and this topic alone.
        apply: writes records, at most one for each key, and only where their version is newer than the row's; a value
            of None deletes. Raises BadRecord for one that never fits.
        keys: all keys that the service holds of this state.
        drop: deletes keys that the log no longer has.
    """

    topic: str
    group: str
    apply: Callable[[Transaction, Sequence[StateRecord]], Awaitable[None]]
    keys: Callable[[Transaction], Awaitable[Collection[str]]]
    drop: Callable[[Transaction, Collection[str]], Awaitable[None]]


@dataclass(slots=True)
class _Held:
    """A partition that is being read, from its start: `end` is where the log ended when the reading began.

    `unmet` are the keys that the service held then and that the log has not shown yet; None once they were dropped.
    """

    claim: int
    place: Place
    end: int
    loaded_at: float
    unmet: set[str] | None = field(default_factory=set)


class StateReader:
    """Reads a compacted log. Repeats and reordering change nothing, since only newer versions are applied."""

    def __init__(self, db: Database, subscription: StateSubscription) -> None:
        self._db = db
        self._subscription = subscription
        self._held: dict[int, _Held] = {}

    @property
    def topic(self) -> str:
        return self._subscription.topic

    @property
    def group(self) -> str:
        return self._subscription.group

    @property
    def most_records(self) -> int:
        return MAX_RECORDS

    def position(self, partition: int) -> int | None:
        """Return the next offset of a loaded partition."""
        held = self._held.get(partition)
        return held.place.next_offset if held else None

    def forget(self, partitions: Collection[int] | None = None) -> None:
        """Take nothing of these partitions, or of any, until they are loaded again."""
        for partition in list(self._held) if partitions is None else partitions:
            self._held.pop(partition, None)

    async def load(self, partitions: Collection[int], bounds: Bounds) -> Mapping[int, int]:
        """Claim partitions and begin at the start of their logs."""
        # The keys first: whatever gave one of them to this database stood in the log before the end that is read next.
        async with self._db.read() as tx:
            keys = await self._subscription.keys(tx)
        limits = await bounds(None)
        unmet: dict[int, set[str]] = {partition: set() for partition in partitions}
        for key in keys:
            partition = partition_of(key, len(limits))
            if partition in unmet:
                unmet[partition].add(key)
        async with self._db.transaction() as tx:
            starts = {partition: limits[partition][0] for partition in partitions}
            claimed = await claim(tx, self.group, self.topic, starts, restart=True)
        for partition, its in claimed.items():
            self._held[partition] = _Held(
                its.claim, its.place, limits[partition][1], time.monotonic(), unmet[partition]
            )
        await self._drop_unmet()
        return starts

    async def take(self, batch: Mapping[int, Sequence[RawRecord]]) -> Collection[int]:
        """Apply a batch and move the places, in one transaction; then drop keys of partitions that are read through."""
        with metrics.CONSUMER_BATCH_SECONDS.labels(self.topic).time():
            held = {p: self._held[p] for p in batch}
            moves: list[Move] = []
            records: list[StateRecord] = []
            pointers: list[Pointer] = []
            for partition, raws in batch.items():
                place = held[partition].place
                # What comes from before the place was delivered before the seek; offsets may have holes by compaction.
                fresh = [raw for raw in raws if raw.offset >= place.next_offset]
                if fresh:
                    after = Place(fresh[-1].offset + 1, sequence=place.sequence)
                    moves.append(Move(partition, held[partition].claim, place, after))
                    self._parse(fresh, records, pointers)
            if moves:
                with ExitStack() as spans:
                    for traceparent in _traced(records, held):
                        spans.enter_context(tracing.aside(f"receive {self.topic}", traceparent, "consumer"))
                    await self._commit(moves, records, pointers)
        for record in records:
            if (unmet := held[record.partition].unmet) is not None:
                unmet.discard(record.key)
        for each in moves:
            held[each.partition].place = each.after
        await self._drop_unmet()
        return ()

    def _parse(self, raws: Sequence[RawRecord], records: list[StateRecord], pointers: list[Pointer]) -> None:
        for raw in raws:
            try:
                records.append(StateRecord(raw))
            except BadRecord as bad:
                pointers.append(Pointer(self.topic, raw.partition, raw.offset, None, bad.reason))

    async def _commit(self, moves: Sequence[Move], records: Sequence[StateRecord], pointers: list[Pointer]) -> None:
        newest = _newest(records)
        try:
            async with self._db.transaction() as tx:
                await move(tx, self.group, self.topic, moves)
                if newest:
                    await self._subscription.apply(tx, newest)
                await put_aside(tx, self.group, pointers)
        except Exception as error:
            if bad_record(error) is None:
                raise
            async with self._db.transaction() as tx:
                await move(tx, self.group, self.topic, moves)
                pointers += await self._apply_apart(tx, newest)
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

    async def _apply_apart(self, tx: Transaction, records: Sequence[StateRecord]) -> list[Pointer]:
        async def apply(tx: Transaction, part: Sequence[StateRecord]) -> None:
            await self._subscription.apply(tx, part)

        return [
            Pointer(self.topic, bad.partition, bad.offset, bad.version if bad.value is not None else None, reason)
            for bad, reason in await by_halves(tx, records, apply)
        ]

    @staticmethod
    def _is_whole(held: _Held) -> bool:
        """Say whether the log has shown all that it has; one that was never written shows nothing of anybody."""
        read = held.place.next_offset >= max(held.end, 1)
        return read and time.monotonic() - held.loaded_at >= DROP_SECONDS

    async def _drop_unmet(self) -> None:
        """Drop the keys that the logs of read partitions did not show, and note that it was done."""
        for partition, held in list(self._held.items()):
            if held.unmet is None or not self._is_whole(held):
                continue
            if held.unmet:
                async with self._db.transaction() as tx:
                    # Whoever was overtaken knows too little to drop anything.
                    await move(tx, self.group, self.topic, [Move(partition, held.claim, held.place, held.place)])
                    await self._subscription.drop(tx, held.unmet)
                log.info("state-keys-dropped", topic=self.topic, partition=partition, count=len(held.unmet))
            held.unmet = None

    async def astray(self) -> Collection[int]:
        """Return partitions whose place is not where this reader left it; of the others drop what has ended."""
        held = {partition: (its.claim, its.place) for partition, its in self._held.items()}
        strayed = await astray(self._db, self.group, self.topic, held)
        if not strayed:
            await self._drop_unmet()
        return strayed

    def observe(self) -> None:
        """There is nothing that grows with time."""

    def health(self) -> list[str]:
        """Nothing can be missing in a state: what is lacking is read at the next start."""
        return []

    def replay(self) -> Replay:
        """How a dead letter of this subscription is handled again."""

        def numbered(raw: RawRecord) -> tuple[int, int] | None:
            try:
                return StateRecord(raw).version
            except BadRecord:
                return None

        async def handle(tx: Transaction, raw: RawRecord) -> None:
            await self._subscription.apply(tx, [StateRecord(raw)])

        return Replay(numbered, handle)


def _traced(records: Sequence[StateRecord], held: Mapping[int, _Held]) -> list[str]:
    """Traces of records that came after the reading began: of what stood there before, the traces ended long ago."""
    new = [record for record in records if record.offset >= held[record.partition].end]
    return [record.traceparent for record in new if record.traceparent]


def _newest(records: Sequence[StateRecord]) -> list[StateRecord]:
    """Return one record for each key: the last end, or the newest version after it."""
    newest: dict[str, StateRecord] = {}
    for record in records:
        before = newest.get(record.key)
        if before is None or record.value is None or before.value is None or record.version >= before.version:
            newest[record.key] = record
    return list(newest.values())
