"""After a restore of a service's database: a new epoch, and everything compared with what Kafka has meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.data import audit
from chassis.data.db import Database, Exclusive, Transaction
from chassis.events.comparison import Compared, compare
from chassis.events.kafka import KafkaSettings
from chassis.events.logs import Place, Span, open_logs
from chassis.events.positions import Standing, standings
from chassis.events.published import Published
from chassis.events.relay_rows import Acknowledged
from chassis.events.standing import Look, look_at_histories
from chassis.events.tables import outbox, outbox_epoch, relay_mark, relay_partitions

# A relay that refuses gives the lock back every 2 s; one that sends never does.
LOCK_SECONDS = 15.0
CONFIRM_SECONDS = 2.0
NOBODY = {"acknowledged_epoch": None, "acknowledged_sequence": None, "acknowledged_offset": None}


class RelayRuns(Exception):
    """A relay of this service sends: its database is not one that was restored and waits, so it must stop first."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Records of a history that the restored database does not know, up to the last one in Kafka."""

    topic: str
    partition: int
    last: str
    records: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A consumer's place against its log: `well`, `behind-start` (retention overtook it) or `beyond-end`."""

    group: str
    topic: str
    partition: int
    next_offset: int
    start: int
    end: int
    finding: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a recovery found and did. `again` is how many unsent events get numbers of the new epoch."""

    service: str
    epoch_before: int
    epoch: int
    unknown: list[Unknown]
    again: int
    states: list[Compared]
    places: list[Checked] = field(default_factory=list)


async def recover(
    db: Database,
    kafka: KafkaSettings,
    service: str,
    published: Published,
    *,
    histories_read: Collection[str],
    actor: str,
    now: datetime,
) -> Report:
    """Bring a restored database to terms with Kafka. A second time it finds nothing to do but begins another epoch.

    Args:
        histories_read: topics whose readers' places are checked; those of states begin at the start anyway.
        actor: who does it, for the audit log.

    Raises:
        RelayRuns: a relay of this service is sending.
        KafkaSilent: nothing was changed, or the states are not compared yet: the command is given again.
    """
    async with without_relay(db):
        async with open_logs(kafka) as logs:
            spans = await logs.spans(await logs.places(published.histories))
            looks = await look_at_histories(logs, spans, {}, service)
        async with db.transaction() as tx:
            began = await _begin_epoch(tx, looks, int(now.timestamp()))
            unknown = await _take_note(tx, looks)
            again = await _number_anew(tx, [each.topic for each in published.states])
            detail = {"epoch": began.epoch, "unknown": sum(each.records for each in unknown)}
            audit.record(tx, audit.Entry(actor, "command-line", "events.recovered", service, detail=detail), now)
        states = await compare(db, kafka, published)
        checked = await check_places(db, kafka, histories_read)
    return Report(service, began.before, began.epoch, unknown, again, states, checked)


@asynccontextmanager
async def without_relay(db: Database) -> AsyncIterator[None]:
    """Hold the relay's lock, so that nothing is numbered or sent; raises RelayRuns."""
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(LOCK_SECONDS):
                held = await stack.enter_async_context(db.exclusive("relay"))
        except TimeoutError:
            raise RelayRuns from None
        confirming = asyncio.create_task(_confirm(held))
        try:
            yield
        finally:
            confirming.cancel()


async def _confirm(held: Exclusive) -> None:
    while True:
        await asyncio.sleep(CONFIRM_SECONDS)
        await held.confirm()


@dataclass(frozen=True, slots=True)
class _Epochs:
    before: int
    epoch: int


async def _begin_epoch(tx: Transaction, looks: dict[Place, Look], seconds: int) -> _Epochs:
    # Whoever publishes a state has read the epoch in its transaction: this waits for them, and they for this.
    await tx.execute(sa.text("LOCK TABLE outbox_epoch IN ACCESS EXCLUSIVE MODE"))
    before = await tx.scalar(sa.select(outbox_epoch.c.epoch))
    # Above everything that stands in Kafka too, whatever the clock says.
    highest = max((number[0] for look in looks.values() for number in look.last), default=0)
    epoch = max(seconds, before + 1, highest + 1)
    await tx.execute(sa.update(outbox_epoch).values(epoch=epoch))
    return _Epochs(before, epoch)


async def _take_note(tx: Transaction, looks: dict[Place, Look]) -> list[Unknown]:
    """Note the last record of each log as acknowledged where it is above the last one known."""
    known = {Place(row.topic, row.partition): row for row in await tx.all(sa.select(relay_partitions))}
    unknown = []
    for place, look in looks.items():
        last = max(look.last, default=(0, 0))
        row = known.get(place)
        mark = (row.acknowledged_epoch or 0, row.acknowledged_sequence or 0) if row else (0, 0)
        numbered = (row.epoch, row.numbered) if row else (0, 0)
        if last > mark:
            await _acknowledge(tx, Acknowledged(*place, *last, look.last[last]))
        if last > numbered:
            records = last[1] - numbered[1] if last[0] == numbered[0] else last[1]
            unknown.append(Unknown(*place, f"{last[0]}.{last[1]}", records))
    return unknown


async def _acknowledge(tx: Transaction, last: Acknowledged) -> None:
    values = {
        "acknowledged_epoch": last.epoch,
        "acknowledged_sequence": last.sequence,
        "acknowledged_offset": last.offset,
    }
    row = {"topic": last.topic, "partition": last.partition, "epoch": last.epoch, "numbered": last.sequence}
    await tx.execute(
        insert(relay_partitions)
        .values(row | values)
        .on_conflict_do_update(index_elements=["topic", "partition"], set_=values)
    )


async def _number_anew(tx: Transaction, states: Collection[str]) -> int:
    """Take the numbers from what was not sent: the log may have them for other events. States are compared instead."""
    mark = (await tx.execute(sa.select(relay_mark).with_for_update())).one()
    unsent = sa.or_(outbox.c.relay_number.is_(None), outbox.c.relay_number > mark.sent)
    await tx.execute(sa.delete(outbox).where(unsent, outbox.c.kind == "state"))
    bare = dict.fromkeys(("relay_number", "partition", "epoch", "sequence"))
    await tx.execute(sa.update(outbox).where(outbox.c.relay_number > mark.sent).values(bare))
    await tx.execute(sa.update(relay_mark).values(claim=mark.claim + 1, numbered=mark.sent))
    # The next record of each partition of a state is where the relay begins to know it again.
    await tx.execute(sa.update(relay_partitions).where(relay_partitions.c.topic.in_(states)).values(NOBODY))
    return int(await tx.scalar(sa.select(sa.func.count()).select_from(outbox).where(outbox.c.relay_number.is_(None))))


async def check_places(db: Database, kafka: KafkaSettings, topics: Collection[str]) -> list[Checked]:
    """Compare the places of a service's readers with their logs; raises KafkaSilent."""
    places = [each for each in await standings(db) if each.topic in topics]
    async with open_logs(kafka) as logs:
        spans = await logs.spans(await logs.places({each.topic for each in places}))
    return [_check(each, spans.get(Place(each.topic, each.partition), Span(0, 0))) for each in places]


def _check(place: Standing, span: Span) -> Checked:
    finding = "well"
    if place.next_offset < span.start:
        finding = "behind-start"
    elif place.next_offset > span.end:
        finding = "beyond-end"
    return Checked(place.group, place.topic, place.partition, place.next_offset, span.start, span.end, finding)
