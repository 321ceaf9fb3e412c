"""One contestant in a process of its own: reads the whole topic, prints alerts, seconds and CPU seconds as JSON.

The clock runs from the first record in hand to the last one handled; ours has committed it by then.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

TOPIC = os.environ.get("BENCH_TOPIC", "")
EVENTS = int(os.environ.get("BENCH_EVENTS", "0"))
PARTITIONS = 3
BATCH = 2_000


class Clock:
    """Runs from the first record."""

    def __init__(self) -> None:
        self.events = 0
        self._began: tuple[float, float] | None = None
        self._took: tuple[float, float] | None = None

    def saw(self, count: int) -> None:
        """Note that records are in hand."""
        if self._began is None and count:
            self._began = time.perf_counter(), time.process_time()
        self.events += count

    def stop(self) -> None:
        """The last record was handled. To count the alerts in the database takes a connection of its own."""
        assert self._began is not None
        self._took = time.perf_counter() - self._began[0], time.process_time() - self._began[1]

    def tell(self, alerts: int) -> None:
        """Print what it came to."""
        assert self._took is not None
        seconds, cpu = self._took
        print(json.dumps({"events": EVENTS, "alerts": alerts, "seconds": seconds, "cpu_seconds": cpu}))


def _connection() -> dict[str, Any]:
    return {
        "bootstrap_servers": os.environ["BENCH_BOOTSTRAP"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": os.environ["BENCH_USERNAME"],
        "sasl_plain_password": os.environ["BENCH_PASSWORD"],
    }


def _tokens() -> set[str]:
    return set(json.loads(Path(os.environ["BENCH_TOKENS"]).read_text()))


async def dictionary() -> None:
    """aiokafka + orjson + dict: decodes, looks up, counts; commits nothing anywhere."""
    clock, alerts, live = Clock(), 0, _tokens()
    consumer = AIOKafkaConsumer(**_connection(), enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(TOPIC, each) for each in range(PARTITIONS)])
    await consumer.start()
    while clock.events < EVENTS:
        for records in (await consumer.getmany(timeout_ms=200, max_records=BATCH)).values():
            clock.saw(len(records))
            for record in records:
                alerts += orjson.loads(record.value or b"")["token"]["value"] in live
    clock.stop()
    clock.tell(alerts)
    await consumer.stop()


async def confluent() -> None:
    """The same on confluent-kafka, which fetches in C."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer
    from confluent_kafka import TopicPartition as Place

    clock, alerts, live = Clock(), 0, _tokens()
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["BENCH_BOOTSTRAP"],
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": os.environ["BENCH_USERNAME"],
            "sasl.password": os.environ["BENCH_PASSWORD"],
            "group.id": "bench",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([Place(TOPIC, each, OFFSET_BEGINNING) for each in range(PARTITIONS)])
    while clock.events < EVENTS:
        records = consumer.consume(BATCH, 0.2)
        clock.saw(len(records))
        for record in records:
            alerts += orjson.loads(record.value() or b"")["token"]["value"] in live
    clock.stop()
    clock.tell(alerts)
    consumer.close()


async def _reader(clock: Clock) -> Any:
    """The service's own reader on the database of this round, its clock noting when a batch comes.

    The live notices are in memory before the first record, as the worker has them: peers load their tokens before too.
    """
    from benchmarks.wanted import PUBLIC
    from chassis.data.db import Database, Transaction
    from chassis.events.histories import HistoryReader
    from chassis.events.records import Record
    from policy import packs
    from services.alerts.consumers import StayReader
    from services.alerts.domain.signatures import verifier_from
    from services.alerts.use_cases.refresh_watchlist import WatchlistKeeper
    from services.alerts.watchlist import Watchlist

    db = Database(os.environ["BENCH_DATABASE"], service="alerts")
    keeper = WatchlistKeeper(Watchlist(), verifier_from(PUBLIC))
    async with db.read() as tx:
        await keeper.look(tx)
    stays = StayReader(keeper, packs.load(), "330199")

    async def handle(tx: Transaction, records: Sequence[Record]) -> Sequence[tuple[Record, str]]:
        clock.saw(len(records))
        return await stays.handle(tx, records)

    subscription = replace(stays.subscription(), topic=TOPIC, group=f"bench.{TOPIC}", handle=handle)
    return HistoryReader(db, subscription, "alerts")


async def _alerts() -> int:
    connection = await asyncpg.connect(os.environ["BENCH_DATABASE"])
    try:
        return int(await connection.fetchval("SELECT count(*) FROM alerts"))
    finally:
        await connection.close()


async def ours() -> None:
    """The service's consumer as it is: FastStream, sequences, one transaction a batch, alerts in PostgreSQL."""
    from chassis.events.kafka import KafkaSettings
    from chassis.events.reading import Reading

    clock = Clock()
    reader = await _reader(clock)
    settings = KafkaSettings(
        bootstrap=os.environ["BENCH_BOOTSTRAP"],
        username=os.environ["BENCH_USERNAME"],
        password=os.environ["BENCH_PASSWORD"],
        replica="1",
        client_id="bench",
    )
    reading = asyncio.create_task(Reading(settings, "alerts", reader).run())
    gc.collect()
    gc.freeze()
    while sum(reader.position(each) or 0 for each in range(PARTITIONS)) < EVENTS:
        await asyncio.wait({reading}, timeout=0.005)
        if reading.done():
            reading.result()
    clock.stop()
    clock.tell(await _alerts())
    reading.cancel()


async def bare() -> None:
    """The same reader fed by bare aiokafka instead of FastStream."""
    clock = Clock()
    reader = await _reader(clock)
    consumer = AIOKafkaConsumer(**_connection(), enable_auto_commit=False, auto_offset_reset="none")
    places = [TopicPartition(TOPIC, each) for each in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.start()

    async def bounds(_partitions: Any) -> dict[int, tuple[int, int]]:
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        return {each.partition: (starts[each], ends[each]) for each in places}

    for partition, offset in (await reader.load(range(PARTITIONS), bounds)).items():
        consumer.seek(TopicPartition(TOPIC, partition), offset)
    gc.collect()
    gc.freeze()
    while clock.events < EVENTS:
        got = await consumer.getmany(timeout_ms=10, max_records=reader.most_records)
        if got:
            await reader.take({place.partition: records for place, records in got.items()})
    clock.stop()
    clock.tell(await _alerts())
    await consumer.stop()


CONTESTANTS: dict[str, Callable[[], Awaitable[None]]] = {
    "ours": ours,
    "ours on bare aiokafka": bare,
    "aiokafka + orjson + dict": dictionary,
    "confluent-kafka + orjson + dict": confluent,
}


def main() -> None:
    """Run the contestant named first."""
    gc.set_threshold(100_000, 20, 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(CONTESTANTS[sys.argv[1]]())  # type: ignore[arg-type]
    # Nothing is left to close in good order: the next contestant waits.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
