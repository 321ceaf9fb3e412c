"""Records as Kafka carries them: CloudEvents 1.0 in binary mode, written by the relay and read by consumers."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self, overload

import orjson
from aiokafka import ConsumerRecord

from contracts.envelope import (
    HEADER_ID,
    HEADER_SEQUENCE,
    HEADER_SOURCE,
    HEADER_SPEC_VERSION,
    HEADER_TRACEPARENT,
    HEADER_TYPE,
    SPEC_VERSION,
    source,
)

RawRecord = ConsumerRecord[bytes, bytes]
Headers = Sequence[tuple[str, bytes]]


class BadRecord(Exception):
    """One record cannot be handled and never will as things are: it becomes a dead letter, the rest goes on.

    Args:
        reason: a code of a-z, 0-9 and -, such as `invalid-value`; never anything that the record says.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def headers(
    *, service: str, event_id: str, type_: str, sequence: tuple[int, int] | None, traceparent: str | None
) -> list[tuple[str, bytes]]:
    """Return a record's headers; `sequence` is (epoch, number). It and the type stand where a reader looks first."""
    numbered = [(HEADER_SEQUENCE, b"%d.%d" % sequence)] if sequence else []
    traced = [(HEADER_TRACEPARENT, traceparent.encode())] if traceparent else []
    return [
        *numbered,
        (HEADER_TYPE, type_.encode()),
        (HEADER_SPEC_VERSION, SPEC_VERSION.encode()),
        (HEADER_ID, event_id.encode()),
        (HEADER_SOURCE, source(service).encode()),
        *traced,
    ]


def header(found: Headers, name: str) -> bytes | None:
    """Return the first header of that name."""
    for each, value in found:
        if each == name:
            return value
    return None


def parse_sequence(text: bytes | None) -> tuple[int, int] | None:
    """Return (epoch, number) of `epoch.number`, both positive; None if it is not that."""
    if text is None or len(text) > 39:
        return None
    epoch, _, number = text.partition(b".")
    if not (epoch.isdigit() and number.isdigit()):
        return None
    parsed = int(epoch), int(number)
    return parsed if parsed > (0, 0) and parsed[1] > 0 and max(parsed) < 2**63 else None


def sequence_of(raw: RawRecord) -> tuple[int, int] | None:
    """Return (epoch, number) of a history's record; None if unreadable."""
    found = raw.headers
    if found and found[0][0] == HEADER_SEQUENCE:
        return parse_sequence(found[0][1])
    return parse_sequence(header(found, HEADER_SEQUENCE))


def type_of(raw: RawRecord) -> bytes:
    """Return the type of a record's event, empty without one."""
    found = raw.headers
    if len(found) > 1 and found[1][0] == HEADER_TYPE:
        return found[1][1]
    return header(found, HEADER_TYPE) or b""


@lru_cache(maxsize=1024)
def _text(encoded: bytes) -> str:
    """Decode one of the few types and sources."""
    return encoded.decode(errors="replace")


class Record:
    """One record of a history. Fields are read from what Kafka sent when they are asked for: most never are.

    `epoch` and `sequence` are those of its topic-partition; `timestamp` is when it was sent, aware, UTC.
    """

    __slots__ = ("_raw", "epoch", "sequence")
    _raw: RawRecord
    epoch: int
    sequence: int

    def __init__(
        self,
        *,
        topic: str,
        partition: int,
        offset: int,
        key: str,
        type: str,  # noqa: A002 - the CloudEvents name
        event_id: str,
        source: str,
        epoch: int,
        sequence: int,
        timestamp: datetime,
        traceparent: str | None,
        value: bytes,
    ) -> None:
        found = headers(service="", event_id=event_id, type_=type, sequence=(epoch, sequence), traceparent=traceparent)
        found = [(name, source.encode() if name == HEADER_SOURCE else content) for name, content in found]
        milliseconds = int(timestamp.timestamp() * 1000)
        self._raw = ConsumerRecord(
            topic, partition, offset, milliseconds, 0, key.encode(), value, None, len(key), len(value), tuple(found)
        )
        self.epoch = epoch
        self.sequence = sequence

    @classmethod
    def of(cls, raw: RawRecord, epoch: int, sequence: int) -> Self:
        """Wrap what Kafka sent."""
        record = cls.__new__(cls)
        record._raw = raw
        record.epoch = epoch
        record.sequence = sequence
        return record

    @property
    def topic(self) -> str:
        return self._raw.topic

    @property
    def partition(self) -> int:
        return self._raw.partition

    @property
    def offset(self) -> int:
        return self._raw.offset

    @property
    def key(self) -> str:
        return (self._raw.key or b"").decode(errors="replace")

    @property
    def type(self) -> str:
        return _text(type_of(self._raw))

    @property
    def event_id(self) -> str:
        return (header(self._raw.headers, HEADER_ID) or b"").decode(errors="replace")

    @property
    def source(self) -> str:
        return _text(header(self._raw.headers, HEADER_SOURCE) or b"")

    @property
    def timestamp(self) -> datetime:
        return datetime.fromtimestamp(self._raw.timestamp / 1000, UTC)

    @property
    def traceparent(self) -> str | None:
        found = header(self._raw.headers, HEADER_TRACEPARENT)
        return found.decode(errors="replace") if found else None

    @property
    def value(self) -> bytes:
        return self._raw.value or b""


class Records(Sequence[Record]):
    """Records of histories in their order. Each is wrapped when it is asked for: the matcher wants few of many.

    `raws` are what Kafka sent, `numbers` the (epoch, sequence) of each.
    """

    __slots__ = ("numbers", "raws")

    def __init__(self, raws: Iterable[RawRecord] = (), numbers: Iterable[tuple[int, int]] = ()) -> None:
        self.raws = list(raws)
        self.numbers = list(numbers)

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Records":
        """Return them as they are, or as Records."""
        if isinstance(records, Records):
            return records
        return cls((each._raw for each in records), ((each.epoch, each.sequence) for each in records))

    def __len__(self) -> int:
        return len(self.raws)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> "Records": ...
    def __getitem__(self, index: int | slice) -> "Record | Records":
        if isinstance(index, slice):
            return Records(self.raws[index], self.numbers[index])
        return Record.of(self.raws[index], *self.numbers[index])


class StateRecord:
    """One record of a state: its entity's key and its value, None where the entity ended.

    `version` is (epoch, number) of the value; of an ended entity it is (0, 0) and says nothing.
    """

    __slots__ = ("_raw", "key", "value", "version")

    def __init__(self, raw: RawRecord) -> None:
        """Read key and version; raises BadRecord (`unreadable-key`, `invalid-value`, `unreadable-version`)."""
        self._raw = raw
        self.key = _state_key(raw)
        self.value = raw.value
        self.version = (0, 0) if raw.value is None else _state_version(raw.value)

    @property
    def type(self) -> str:
        return _text(type_of(self._raw))

    @property
    def partition(self) -> int:
        return self._raw.partition

    @property
    def offset(self) -> int:
        return self._raw.offset

    @property
    def traceparent(self) -> str | None:
        found = header(self._raw.headers, HEADER_TRACEPARENT)
        return found.decode(errors="replace") if found else None


def _state_key(raw: RawRecord) -> str:
    try:
        key = (raw.key or b"").decode()
    except UnicodeDecodeError:
        raise BadRecord("unreadable-key") from None
    if not key:
        raise BadRecord("unreadable-key")
    return key


def _state_version(value: bytes) -> tuple[int, int]:
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        raise BadRecord("invalid-value") from None
    version = document.get("version") if isinstance(document, dict) else None
    parsed = parse_sequence(version.encode()) if isinstance(version, str) else None
    if parsed is None:
        raise BadRecord("unreadable-version")
    return parsed
