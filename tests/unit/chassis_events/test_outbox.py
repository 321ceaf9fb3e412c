"""Emissions: what may be published, and what becomes of it as a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from chassis.events.kafka import partition_of
from chassis.events.outbox import MAX_VALUE_BYTES, Emission, RecordTooLarge
from chassis.events.records import Record, headers, parse_sequence


class Named(BaseModel):
    name: str
    note: str | None = None
    version: str | None = None


def test_a_history_is_compact_json_without_what_is_none() -> None:
    emission = Emission("t", "k", "anju.test.named.v1", Named(name="安居"), "history")
    assert emission.value(5) == '{"name":"安居"}'.encode()
    assert emission.event_id.version == 7


def test_a_state_carries_epoch_and_number() -> None:
    emission = Emission("t", "k", "anju.test.named.v1", Named(name="x"), "state", version=12)
    assert emission.value(1_700_000_000) == b'{"name":"x","version":"1700000000.12"}'
    assert Emission("t", "k", "anju.test.named.v1", None, "state", version=13).value(5) is None


def test_what_cannot_be_published_is_refused() -> None:
    with pytest.raises(ValueError, match="tombstone"):
        Emission("t", "k", "x", None, "history")
    with pytest.raises(ValueError, match="version"):
        Emission("t", "k", "x", Named(name="x"), "state")
    frame = len(b'{"name":""}')
    Emission("t", "k", "x", Named(name="x" * (MAX_VALUE_BYTES - frame)), "history")
    with pytest.raises(RecordTooLarge):
        Emission("t", "k", "x", Named(name="x" * (MAX_VALUE_BYTES - frame + 1)), "history")


# Kafka's own test vectors of murmur2 (org.apache.kafka.common.utils.UtilsTest.testMurmur2), made positive.
@pytest.mark.parametrize(
    ("key", "murmur2"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_partition_is_the_one_that_kafkas_producer_takes(key: str, murmur2: int) -> None:
    assert partition_of(key, 1_000_003) == (murmur2 & 0x7FFFFFFF) % 1_000_003
    assert 0 <= partition_of(key, 6) < 6


@given(st.integers(1, 2**62), st.integers(1, 2**62))
def test_a_number_reads_as_it_is_written(epoch: int, number: int) -> None:
    written = headers(service="s", event_id="i", type_="t", sequence=(epoch, number), traceparent=None)
    assert parse_sequence(dict(written)["ce_sequence"]) == (epoch, number)


def test_a_record_is_what_it_was_made_of() -> None:
    from datetime import UTC, datetime

    given_fields = {
        "topic": "t",
        "partition": 2,
        "offset": 9,
        "key": "k",
        "type": "anju.test.named.v1",
        "event_id": "01900000-0000-7000-8000-000000000000",
        "source": "/anju/test",
        "epoch": 5,
        "sequence": 7,
        "timestamp": datetime(2026, 1, 1, 12, tzinfo=UTC),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "value": b"{}",
    }
    record = Record(**given_fields)  # type: ignore[arg-type]
    assert {name: getattr(record, name) for name in given_fields} == given_fields
