"""The relay against the same relay on confluent-kafka: rows a second from the outbox to Kafka's acknowledgement."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from confluent_kafka import Producer

from benchmarks.rounds import Goal, Measured, Outcome, Plan, figure_of, interleaved
from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.kafka import KafkaSettings
from chassis.events.records import headers
from chassis.events.relay import Relay
from chassis.events.relay_rows import Acknowledged, Row, backlog
from chassis.events.sending import Sending

ROWS = 60_000
PARTITIONS = 3
# 475 bytes, as an arrival is; what stands in it costs the relay nothing.
VALUE = b'{"stay_id":"' + b"0" * 460 + b'"}'
_FILL = sa.text("""
    INSERT INTO outbox (topic, key, kind, type, event_id, value)
    SELECT :topic, gen_random_uuid()::text, 'history', 'anju.registration.person-arrived.v1', gen_random_uuid(), :value
    FROM generate_series(1, :rows)
""")


class ConfluentSending(Sending):
    """Sends by confluent-kafka instead of aiokafka; all else of the relay stays as it is."""

    def __init__(self, settings: KafkaSettings, service: str, options: dict[str, Any]) -> None:
        super().__init__(settings, service)
        self._confluent = Producer(
            {**options, "acks": "all", "enable.idempotence": True, "linger.ms": 0, "compression.type": "lz4"}
        )

    async def send(self, rows: Sequence[Row]) -> list[Acknowledged]:
        """Send rows and wait until all are acknowledged."""
        return await asyncio.to_thread(self._send, rows)

    def _send(self, rows: Sequence[Row]) -> list[Acknowledged]:
        offsets: dict[tuple[str, int], Acknowledged] = {}

        def noted(row: Row) -> Any:
            def note(error: Any, message: Any) -> None:
                if error is not None:
                    raise RuntimeError(str(error))
                offsets[row.topic, row.partition] = Acknowledged(
                    row.topic, row.partition, row.epoch, row.sequence, message.offset()
                )

            return note

        for row in rows:
            found = headers(
                service=self._service,
                event_id=str(row.event_id),
                type_=row.type,
                sequence=(row.epoch, row.sequence),
                traceparent=row.traceparent,
            )
            self._confluent.produce(
                row.topic,
                key=row.key.encode(),
                value=row.value,
                partition=row.partition,
                headers=dict(found),
                on_delivery=noted(row),
            )
        self._confluent.flush()
        return list(offsets.values())


async def measure(plan: Plan) -> list[Measured]:
    """Measure rows per second."""
    rows = plan.count(ROWS)

    async def contestant(name: str) -> Outcome:
        dsn = await plan.parts.new_database()
        await migrate(dsn, "registration")
        db = Database(dsn, service="registration")
        topic = await plan.parts.new_topic("relay", PARTITIONS)
        async with db.transaction() as tx:
            await tx.execute(_FILL, {"topic": topic, "value": VALUE, "rows": rows})
        settings = KafkaSettings(
            plan.parts.bootstrap, plan.parts.username, plan.parts.password, replica="1", client_id="bench"
        )
        relay = Relay(db, settings, "registration")
        if name != "ours":
            relay._sending = ConfluentSending(settings, "registration", plan.parts.librdkafka)
        began = time.perf_counter()
        running = asyncio.create_task(relay.run())
        while (await backlog(db)).unsent:
            await asyncio.wait({running}, timeout=0.05)
        seconds = time.perf_counter() - began
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await db.dispose()
        return {"rows per second": rows / seconds}

    rounds = await interleaved(
        plan, {"ours": lambda: contestant("ours"), "on confluent-kafka": lambda: contestant("on confluent-kafka")}
    )
    return [figure_of(rounds, "rows per second", "ours", {"on confluent-kafka": Goal(0.6)})]
