"""The one place that sets how this system speaks to Kafka. tests/unit asserts each option on the objects made here.

FastStream's and aiokafka's defaults lose messages: records are acknowledged before they are handled, offsets jump to
the end of the log, one broker's acknowledgement is enough. Nothing else may construct a client.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.security import SASLScram512
from pydantic import SecretStr

# An idempotent aiokafka producer gives up for good when an outage outlasts it; the relay notices sooner by itself.
PRODUCER_REQUEST_TIMEOUT_MS: Final = 10 * 60 * 1000
# A batch is refused by Kafka above 1 MiB, so that one record of 900 KiB passes; larger batches were no faster.
MAX_BATCH_BYTES: Final = 256 * 1024
MAX_REQUEST_BYTES: Final = 1024 * 1024
# A group's member that is gone for good is noticed after the session; one that comes back under its name, at once.
# 6 s is the least that a broker grants by default.
SESSION_TIMEOUT_MS: Final = 6_000
HEARTBEAT_INTERVAL_MS: Final = 1_000
# A join waits for the other members' running transactions, so it may take a session; requests must outlast it.
REBALANCE_TIMEOUT_MS: Final = 6_000
CONSUMER_REQUEST_TIMEOUT_MS: Final = 15_000
# A topic that was deleted and made again has its partitions assigned at the next look at the metadata; 5 minutes, the
# default, would be long for those who wait for its events.
METADATA_MAX_AGE_MS: Final = 10_000
# A probe asks whether the broker is there now.
PROBE_REQUEST_TIMEOUT_MS: Final = 3_000
# One transaction's worth: fewer cost throughput, more cost memory and time to roll back.
MAX_RECORDS: Final = 2_000
# How long a poll waits for a first record; one that comes ends it at once. Idle consumers wake twice a second.
POLL_MS: Final = 500
# A record of 900 KiB must fit into one partition's answer.
MAX_PARTITION_FETCH_BYTES: Final = 2 * 1024 * 1024
# A client of a dead broker waits for ever in places; whoever ends one waits no longer than this for each of its parts.
CLOSE_SECONDS: Final = 1.0

RawRecord = ConsumerRecord[bytes, bytes]


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where Kafka is and as whom to speak to it.

    Args:
        replica: names this copy of the process; a copy that comes back under its name goes on with its partitions.
        client_id: shows in the broker's logs and quotas, such as `alerts-worker`.
    """

    bootstrap: str
    username: str
    password: SecretStr | str = field(repr=False)
    replica: str
    client_id: str
    producer_request_timeout_ms: int = PRODUCER_REQUEST_TIMEOUT_MS

    @property
    def secret(self) -> str:
        """The password in the clear, for the client that needs it."""
        return self.password.get_secret_value() if isinstance(self.password, SecretStr) else self.password

    def connection(self, client_id: str, request_timeout_ms: int) -> dict[str, Any]:
        """Return what every aiokafka client is given."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": client_id,
            "request_timeout_ms": request_timeout_ms,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.secret,
        }


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition of `key` as Kafka's own producer chooses it: positive murmur2 of its UTF-8, modulo."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def producer_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the options of the relay's producer: acknowledged by all in-sync copies, in order, none twice, at once."""
    return {
        **settings.connection(f"{settings.client_id}.relay", settings.producer_request_timeout_ms),
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": 0,
        "compression_type": "lz4",
        "max_batch_size": MAX_BATCH_BYTES,
        "max_request_size": MAX_REQUEST_BYTES,
    }


def producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """Make the relay's producer; the caller starts it, and ends it with `discard`."""
    return AIOKafkaProducer(**producer_options(settings))


async def discard(client: AIOKafkaProducer) -> None:
    """Throw a producer away, whatever state it is in, without waiting for what it has not sent."""
    # stop() flushes, which never ends with a dead broker: what is pending fails now, then the connections go.
    client._message_accumulator.fail_all(KafkaError("the producer was thrown away"))
    client._closed = True
    if client._sender.sender_task is not None:
        client._sender.sender_task.cancel()
    await _within(CLOSE_SECONDS, client.client.close())
    # The metadata task is gone; whoever waits for its answer would wait for ever.
    if client.client._md_update_fut is not None and not client.client._md_update_fut.done():
        client.client._md_update_fut.set_result(False)


def consumer_options(service: str, group: str, topic: str, replica: str) -> dict[str, Any]:
    """Return the options of a subscriber in a group. Positions are kept in PostgreSQL: no offset is ever guessed."""
    return {
        "group_id": group,
        "group_instance_id": f"{service}.{group}.{topic}.{replica}",
        "auto_offset_reset": "none",
        "ack_policy": AckPolicy.MANUAL,
        "batch": True,
        "max_records": MAX_RECORDS,
        "batch_timeout_ms": POLL_MS,
        "session_timeout_ms": SESSION_TIMEOUT_MS,
        "heartbeat_interval_ms": HEARTBEAT_INTERVAL_MS,
        "rebalance_timeout_ms": REBALANCE_TIMEOUT_MS,
        "max_partition_fetch_bytes": MAX_PARTITION_FETCH_BYTES,
        "check_crcs": True,
    }


async def _parse(runs: tuple[Sequence[RawRecord], ...]) -> KafkaMessage:
    # FastStream's own parser makes a dict of headers of each record, which costs as much as reading it.
    # What it asks of a message is the topic of its first record.
    return KafkaMessage(body=runs, headers={}, raw_message=(runs[0][0],), consumer=FAKE_CONSUMER)


async def _decode(message: KafkaMessage) -> Any:
    return message.body


def client_id(settings: KafkaSettings, group: str, topic: str) -> str:
    """Return the name under which one subscriber shows among its group's members."""
    return f"{settings.client_id}.{group}.{topic}.{settings.replica}"


def subscriber(
    settings: KafkaSettings,
    service: str,
    group: str,
    topic: str,
    *,
    handle: Callable[[Sequence[Sequence[RawRecord]]], Awaitable[None]],
    listener: ConsumerRebalanceListener,
) -> tuple[KafkaBroker, BatchSubscriber]:
    """Make a FastStream broker with one batch subscriber; the caller starts it, and ends it with `close`.

    `handle` is given the records of a batch as runs, one of each partition.
    """
    broker = KafkaBroker(
        settings.bootstrap.split(","),  # FastStream takes a string for one address
        client_id=client_id(settings, group, topic),
        request_timeout_ms=CONSUMER_REQUEST_TIMEOUT_MS,
        security=SASLScram512(username=settings.username, password=settings.secret, use_ssl=False),
        consumer_only=True,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        allow_auto_create_topics=False,
        # Nothing is injected: FastDepends would validate each batch.
        apply_types=False,
        logger=None,
        graceful_timeout=CLOSE_SECONDS,
    )
    made = broker.subscriber(
        topic,
        **consumer_options(service, group, topic, settings.replica),
        listener=listener,
        parser=_parse,
        decoder=_decode,
    )

    async def taken(runs: Sequence[list[RawRecord]]) -> None:
        await handle(runs)
        # FastStream lets go of a batch when it has the next. Two of them in memory set off the garbage collector, and
        # the second is not written where the first one lies in the processor's caches: a tenth of the matcher's work.
        for raws in runs:
            raws.clear()

    made(taken)
    made.get_msg = partial(_poll, made)
    return broker, made


async def _poll(made: BatchSubscriber, consumer: AIOKafkaConsumer) -> tuple[Sequence[RawRecord], ...]:
    # FastStream's own sleeps for the poll's time after an empty one: latency where it is long, a busy loop where short.
    records = await consumer.getmany(timeout_ms=made.batch_timeout_ms, max_records=made.max_records)
    return tuple(records.values())


async def close(broker: KafkaBroker, made: BatchSubscriber) -> None:
    """End a subscriber within seconds, whatever state its client is in; a running transaction may finish."""
    consumer = made.consumer
    await _within(2 * CLOSE_SECONDS, broker.stop())
    if consumer is not None:
        await close_consumer(consumer)


async def close_consumer(consumer: AIOKafkaConsumer) -> None:
    """End a consumer within seconds. Its own stop() waits for a dead coordinator and then leaves the rest open."""
    await _within(CLOSE_SECONDS, consumer.stop())
    for part in (consumer._fetcher, consumer._client):
        if part is not None:
            await _within(CLOSE_SECONDS, part.close())


async def start(starting: Coroutine[Any, Any, None], seconds: float) -> None:
    """Wait for a client's start; raises TimeoutError, or what the start raises.

    A start that is cancelled half-way leaves its connection open, so a cancelled caller lets it end by itself first.
    """
    task = asyncio.create_task(starting)
    task.add_done_callback(_take_note)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=CLOSE_SECONDS)
        raise
    finally:
        task.cancel()
    if not done:
        raise TimeoutError
    task.result()


async def _within(seconds: float, closing: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(closing)
    task.add_done_callback(_take_note)
    if not (await asyncio.wait({task}, timeout=seconds))[0]:
        task.cancel()


def _take_note(done: asyncio.Task[None]) -> None:
    # What a client raises while it is being thrown away is of no use; it must only not be reported as unseen.
    if not done.cancelled():
        done.exception()


def reader(settings: KafkaSettings) -> AIOKafkaConsumer:
    """Make a consumer without a group, for single records; the caller starts it, and ends it with `close_consumer`."""
    return AIOKafkaConsumer(
        **settings.connection(f"{settings.client_id}.reader", CONSUMER_REQUEST_TIMEOUT_MS),
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=MAX_PARTITION_FETCH_BYTES,
    )


def admin(settings: KafkaSettings) -> AIOKafkaAdminClient:
    """Make a client of its own connection, which asks whether the broker is there and who is in a group."""
    return AIOKafkaAdminClient(**settings.connection(f"{settings.client_id}.probe", PROBE_REQUEST_TIMEOUT_MS))


async def answers(settings: KafkaSettings) -> bool:
    """Ask over a fresh connection whether the broker is there."""
    probe = admin(settings)
    try:
        await start(probe.start(), PROBE_REQUEST_TIMEOUT_MS / 1000)
    except (KafkaError, TimeoutError, OSError):
        return False
    finally:
        await _within(CLOSE_SECONDS, probe.close())
    return True


async def members(settings: KafkaSettings, group: str) -> set[str]:
    """Return the client ids of a group's members, asked for over a fresh connection; raises KafkaError."""
    probe = admin(settings)
    try:
        await start(probe.start(), PROBE_REQUEST_TIMEOUT_MS / 1000)
        described: list[Any] = await probe.describe_consumer_groups([group])
    finally:
        await _within(CLOSE_SECONDS, probe.close())
    # (error, group, state, protocol type, protocol, [(member id, client id, …), …])
    return {member[1] for answer in described for found in answer.groups for member in found[5]}
