"""States compared with their topics: what is missing or other there is published, what is there alone is ended."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import orjson
import sqlalchemy as sa
import structlog

from chassis.data.db import Database, Transaction
from chassis.events.kafka import KafkaSettings
from chassis.events.logs import Logs, Place, Span, open_logs
from chassis.events.outbox import Emission
from chassis.events.published import Published, PublishedState
from chassis.events.records import BadRecord, RawRecord, StateRecord
from chassis.events.standing import KafkaAhead, tails
from chassis.events.tables import outbox, outbox_epoch, relay_mark
from chassis.run import metrics

log = structlog.get_logger()

# Entities read at once, and entities held under their locks while they are published.
READ_AT_ONCE = 500
PUBLISHED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Newest:
    """What a topic's readers hold of a key: its version, and a digest of the value without it."""

    version: tuple[int, int]
    content: bytes


@dataclass(frozen=True, slots=True)
class Compared:
    """What one comparison came to: keys in the tables, how many of them were published, how many others ended."""

    topic: str
    keys: int
    published: int
    ended: int


async def compare(db: Database, kafka: KafkaSettings, published: Published) -> list[Compared]:
    """Compare every state. Its corrections go through the outbox, so the relay sends them in their order.

    Raises KafkaAhead when a topic has a newer version in this epoch than its table, and KafkaSilent.
    """
    done = []
    async with open_logs(kafka) as logs:
        for state in published.states:
            done.append(await _compare(db, logs, state))
    for each in done:
        log.info("state-compared", topic=each.topic, rows=each.keys, count=each.published + each.ended)
        metrics.STATES_MENDED.labels(each.topic).inc(each.published + each.ended)
    return done


async def is_ahead(db: Database, logs: Logs, state: PublishedState, spans: Mapping[Place, Span]) -> bool:
    """Say whether records after the last acknowledged one have what the table never said in this epoch.

    That is a newer version, or another content of the same one: the database was restored, and changed since.
    """
    found = await _newest(logs, tails(spans))
    for keys in _batches(found, READ_AT_ONCE):
        async with db.read() as tx:
            epoch = (await tx.execute(sa.select(outbox_epoch.c.epoch))).scalar_one()
            here = {each.key: each for each in await state.read(tx, keys, False)}
        if any(_is_of_another_life(found[key], here.get(key), epoch) for key in keys):
            return True
    return False


async def _compare(db: Database, logs: Logs, state: PublishedState) -> Compared:
    # The topic first: whatever stands there by then, its table has had at least as long.
    found = await _newest(logs, await logs.spans(await logs.places([state.topic])))
    async with db.read() as tx:
        keys = await state.keys(tx)
    other: list[str] = []
    for chunk in _batches(keys, READ_AT_ONCE):
        other += await _differing(db, state, chunk, found)
    gone = await _without_row(db, state, found.keys() - set(keys))
    published = ended = 0
    for chunk in _batches([*other, *gone], PUBLISHED_AT_ONCE):
        async with db.transaction() as tx:
            emissions = await _present(tx, state, chunk)
        ended += sum(each.model is None for each in emissions)
        published += sum(each.model is not None for each in emissions)
    return Compared(state.topic, len(keys), published, ended)


def _batches(keys: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(keys)
    while batch := list(islice(rest, size)):
        yield batch


async def _newest(logs: Logs, spans: Mapping[Place, Span]) -> dict[str, Newest]:
    """Read logs as the readers of a state do: newer versions only, an end makes room for any."""
    newest: dict[str, Newest] = {}
    async for _place, raws in logs.read(spans):
        for record in _readable(raws):
            before = newest.get(record.key)
            if record.value is None:
                newest.pop(record.key, None)
            elif before is None or record.version >= before.version:
                newest[record.key] = Newest(record.version, _content(record.value))
    return newest


def _readable(raws: Iterable[RawRecord]) -> Iterable[StateRecord]:
    for raw in raws:
        try:
            yield StateRecord(raw)
        except BadRecord:
            continue  # a stranger's, which no reader takes


async def _differing(
    db: Database, state: PublishedState, keys: Collection[str], found: Mapping[str, Newest]
) -> list[str]:
    async with db.read() as tx:
        epoch = (await tx.execute(sa.select(outbox_epoch.c.epoch))).scalar_one()
        waiting = await _waiting(tx, state.topic)
        here = await state.read(tx, keys, False)
    if any(_is_newer(found[each.key], each, epoch) for each in here if each.key in found):
        raise KafkaAhead(state.topic)
    return [each.key for each in here if each.key not in waiting and _differs(found.get(each.key), each)]


async def _without_row(db: Database, state: PublishedState, keys: Collection[str]) -> list[str]:
    """Of keys that only the topic has, those whose end is not on its way."""
    async with db.read() as tx:
        return sorted(set(keys) - await _waiting(tx, state.topic))


async def _waiting(tx: Transaction, topic: str) -> set[str]:
    """Return the keys of events that Kafka has not acknowledged: they come anyway."""
    sent = sa.select(relay_mark.c.sent).scalar_subquery()
    rows = sa.select(outbox.c.key).where(outbox.c.topic == topic)
    unnumbered, unsent = rows.where(outbox.c.relay_number.is_(None)), rows.where(outbox.c.relay_number > sent)
    return {row.key for row in await tx.all(sa.union(unnumbered, unsent))}


async def _present(tx: Transaction, state: PublishedState, keys: Collection[str]) -> list[Emission]:
    """Publish keys as they are now, under the locks that their use cases take; end those that are not."""
    here = {each.key: each for each in await state.read(tx, keys, True)}
    emissions = [here.get(key) or Emission(state.topic, key, state.type, None, "state") for key in keys]
    for each in emissions:
        tx.emit(each)
    return emissions


def _is_of_another_life(found: Newest, here: Emission | None, epoch: int) -> bool:
    if here is not None and found.version == (epoch, here.version):
        return _differs(found, here)
    return _is_newer(found, here, epoch)


def _is_newer(found: Newest, here: Emission | None, epoch: int) -> bool:
    if here is None or here.version is None:
        return found.version[0] > epoch
    return found.version > (epoch, here.version)


def _differs(found: Newest | None, here: Emission) -> bool:
    return found is None or found.content != _content(here.value(0) or b"")


def _content(value: bytes) -> bytes:
    document = orjson.loads(value)
    document.pop("version", None)
    return blake2b(orjson.dumps(document, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
