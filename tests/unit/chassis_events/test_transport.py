"""Every transport option, asserted on the objects that are really used; each shown to bite by a planted violation."""

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber

from chassis.events import kafka
from chassis.events.kafka import KafkaSettings

SETTINGS = KafkaSettings("127.0.0.1:1", "alerts", "not-a-secret", replica="7", client_id="alerts-worker")


class _Listener(ConsumerRebalanceListener):
    async def on_partitions_assigned(self, assigned: Any) -> None: ...
    async def on_partitions_revoked(self, revoked: Any) -> None: ...


async def _handle(_: Any) -> None: ...


LISTENER = _Listener()


def make_subscriber() -> BatchSubscriber:
    return kafka.subscriber(SETTINGS, "alerts", "matcher", "registration.stays", handle=_handle, listener=LISTENER)[1]


def make_consumer(subscriber: BatchSubscriber) -> AIOKafkaConsumer:
    """The consumer as the subscriber builds it when it starts."""
    return subscriber.builder(
        group_id=subscriber.group_id, client_id=subscriber.client_id, **subscriber._connection_args
    )


Expected = dict[str, tuple[Callable[[Any], Any], Any]]

CONNECTION = {
    "security": ("_security_protocol", "SASL_PLAINTEXT"),
    "mechanism": ("_sasl_mechanism", "SCRAM-SHA-512"),
    "user": ("_sasl_plain_username", "alerts"),
    "password": ("_sasl_plain_password", "not-a-secret"),
}


def of_client(attribute: str) -> Expected:
    """What every client is given; a producer and a consumer keep their client under different names."""
    return {name: (attrgetter(f"{attribute}.{where}"), value) for name, (where, value) in CONNECTION.items()}


PRODUCER: Expected = {
    **of_client("client"),
    "acknowledged by all": (lambda p: p._sender._acks, -1),
    "idempotent": (lambda p: p._txn_manager is not None and p._txn_manager.transactional_id is None, True),
    "no linger": (lambda p: p._message_accumulator._linger_time, 0.0),
    "request timeout": (lambda p: p._request_timeout_ms, 600_000),
    "request timeout of the connection": (lambda p: p.client._request_timeout_ms, 600_000),
    "lz4": (lambda p: p._compression_type, "lz4"),
    "batch size": (lambda p: p._message_accumulator._batch_size, 256 * 1024),
    "request size": (lambda p: p._max_request_size, 1024 * 1024),
}
SUBSCRIBER: Expected = {
    "acknowledged by us": (lambda s: s.ack_policy, AckPolicy.MANUAL),
    "batch size": (lambda s: s.max_records, 2_000),
    "batch timeout": (lambda s: s.batch_timeout_ms, 500),
    "no sleep between polls": (lambda s: s.get_msg.func, kafka._poll),
    "listener": (lambda s: s._listener, LISTENER),
    "own parser": (lambda s: s._call_options.parser, kafka._parse),
    "own decoder": (lambda s: s._call_options.decoder, kafka._decode),
    "nothing injected": (lambda s: s._outer_config.fd_config.use_fastdepends, False),
    "no producer beside it": (lambda s: s._outer_config.consumer_only, True),
    "no topic made by accident": (lambda s: s._outer_config.allow_auto_create_topics, False),
}
CONSUMER: Expected = {
    **of_client("_client"),
    "no automatic commit": (lambda c: c._enable_auto_commit, False),
    "no offset is guessed": (lambda c: c._auto_offset_reset, "none"),
    "group": (lambda c: c._group_id, "matcher"),
    "static membership": (lambda c: c._group_instance_id, "alerts.matcher.registration.stays.7"),
    "client id": (lambda c: c._client._client_id, "alerts-worker.matcher.registration.stays.7"),
    "session": (lambda c: c._session_timeout_ms, 6_000),
    "heartbeat": (lambda c: c._heartbeat_interval_ms, 1_000),
    "rebalance": (lambda c: c._rebalance_timeout_ms, 6_000),
    "request timeout": (lambda c: c._client._request_timeout_ms, 15_000),
    "fetch size": (lambda c: c._max_partition_fetch_bytes, 2 * 1024 * 1024),
    "checksums": (lambda c: c._check_crcs, True),
}


def violations(made: Any, expected: Expected) -> set[str]:
    return {name for name, (read, value) in expected.items() if read(made) != value}


async def _made() -> tuple[AIOKafkaProducer, BatchSubscriber, AIOKafkaConsumer, AIOKafkaConsumer]:
    subscriber = make_subscriber()
    made = kafka.producer(SETTINGS), subscriber, make_consumer(subscriber), kafka.reader(SETTINGS)
    for client in (made[0], made[2], made[3]):
        client._closed = True  # none was started
    return made


async def test_every_option() -> None:
    producer, subscriber, consumer, reader = await _made()
    assert violations(producer, PRODUCER) == set()
    assert violations(subscriber, SUBSCRIBER) == set()
    assert violations(consumer, CONSUMER) == set()
    alone = {
        name: CONSUMER[name] for name in ("no automatic commit", "no offset is guessed", "fetch size", *CONNECTION)
    }
    assert violations(reader, alone) == set()
    assert reader._group_id is None


def _connection(name: str, value: str) -> Callable[[pytest.MonkeyPatch], None]:
    given = KafkaSettings.connection

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(KafkaSettings, "connection", lambda self, *args: {**given(self, *args), name: value})

    return plant


def _option(function: str, name: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    given = getattr(kafka, function)

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        def changed(*args: Any) -> dict[str, Any]:
            options = {**given(*args), name: value}
            return {key: each for key, each in options.items() if each is not ...}

        monkeypatch.setattr(kafka, function, changed)

    return plant


# An option that is left out (...) falls to the library's default, which is how it would go missing.
PRODUCER_PLANTS = [
    ("idempotent", _option("producer_options", "enable_idempotence", ...)),
    ("no linger", _option("producer_options", "linger_ms", 5)),
    ("request timeout", _option("producer_options", "request_timeout_ms", ...)),
    ("lz4", _option("producer_options", "compression_type", ...)),
    ("batch size", _option("producer_options", "max_batch_size", ...)),
    ("request size", _option("producer_options", "max_request_size", 10)),
    ("security", _connection("security_protocol", "PLAINTEXT")),
    ("mechanism", _connection("sasl_mechanism", "PLAIN")),
]
CONSUMER_PLANTS = [
    ("acknowledged by us", _option("consumer_options", "ack_policy", ...)),
    ("no automatic commit", _option("consumer_options", "ack_policy", ...)),
    ("no offset is guessed", _option("consumer_options", "auto_offset_reset", ...)),
    ("static membership", _option("consumer_options", "group_instance_id", ...)),
    ("batch size", _option("consumer_options", "max_records", ...)),
    ("batch timeout", _option("consumer_options", "batch_timeout_ms", ...)),
    ("session", _option("consumer_options", "session_timeout_ms", ...)),
    ("heartbeat", _option("consumer_options", "heartbeat_interval_ms", ...)),
    ("rebalance", _option("consumer_options", "rebalance_timeout_ms", 300_000)),
    ("fetch size", _option("consumer_options", "max_partition_fetch_bytes", ...)),
    ("checksums", _option("consumer_options", "check_crcs", False)),
]


@pytest.mark.parametrize(("name", "plant"), PRODUCER_PLANTS, ids=[name for name, _ in PRODUCER_PLANTS])
async def test_a_planted_violation_of_the_producer_is_found(
    name: str, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    producer, *_ = await _made()
    assert name in violations(producer, PRODUCER)


async def test_acknowledgement_by_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _option("producer_options", "enable_idempotence", False)(monkeypatch)
    _option("producer_options", "acks", 1)(monkeypatch)
    producer, *_ = await _made()
    assert {"acknowledged by all", "idempotent"} & violations(producer, PRODUCER)


@pytest.mark.parametrize(("name", "plant"), CONSUMER_PLANTS, ids=[name for name, _ in CONSUMER_PLANTS])
async def test_a_planted_violation_of_the_subscriber_is_found(
    name: str, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    _, subscriber, consumer, _ = await _made()
    assert name in violations(subscriber, SUBSCRIBER) | violations(consumer, CONSUMER)


def test_each_of_several_brokers_is_an_address() -> None:
    settings = replace(SETTINGS, bootstrap="kafka-1:9092,kafka-2:9092")
    broker, _ = kafka.subscriber(settings, "alerts", "matcher", "registration.stays", handle=_handle, listener=LISTENER)
    assert broker.specification.url == ["kafka-1:9092", "kafka-2:9092"]


def test_nothing_else_constructs_a_client() -> None:
    """An option set in one place is of no use if a client is made in another."""
    makers = ("AIOKafkaProducer(", "AIOKafkaConsumer(", "KafkaBroker(", "AIOKafkaAdminClient(", "AIOKafkaClient(")
    root = kafka.__file__.rsplit("/chassis/", 1)[0]
    found = _constructions(root, makers)
    assert found == {"chassis/events/kafka.py"}


def _constructions(root: str, makers: tuple[str, ...]) -> set[str]:
    return {
        str(path.relative_to(root))
        for package in ("chassis", "services", "policy", "anju")
        for path in Path(root, package).rglob("*.py")
        if any(maker in path.read_text() for maker in makers)
    }


def test_the_password_is_in_no_text() -> None:
    assert "not-a-secret" not in repr(SETTINGS)
