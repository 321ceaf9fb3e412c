"""More than a hundred kinds of records that no consumer of stays can handle, each with its dead letter's code."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from contracts import envelope
from services.alerts.domain.contents import Token
from tests.people import People

# Stands in every bad record and nowhere else.
MARKER = "zqmark"
NUMBER = str(People("hostile").document()["number"])
SEQUENCE, TYPE = "unreadable-sequence", "unknown-type"
VALUE, STORE = "invalid-value", "not-storable"


@dataclass
class Raw:
    """A record on its way: an event of a stay whose document is wanted, so that it is read in full."""

    token: Token
    sequence: bytes
    key: bytes | None = field(default_factory=lambda: str(uuid4()).encode())
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    value: bytes | None = None

    def __post_init__(self) -> None:
        self.headers = [
            (envelope.HEADER_SEQUENCE, self.sequence),
            (envelope.HEADER_SPEC_VERSION, b"1.0"),
            (envelope.HEADER_ID, str(uuid4()).encode()),
            (envelope.HEADER_TYPE, envelope.STAY_CORRECTED.encode()),
            (envelope.HEADER_SOURCE, b"/anju/registration"),
        ]
        at = datetime.now(UTC).isoformat()
        self.document = {
            "stay_id": (self.key or b"").decode(),
            "premises_id": "01936000-0000-7000-8000-000000000001",
            "room": MARKER,
            "division_code": "330199001",
            "kind": "hotel_guest",
            "occurred_at": at,
            "recorded_at": at,
            "token": {"key_id": self.token.key_id, "value": self.token.value},
            "number": NUMBER,
        }
        self.value = self.encoded()

    def encoded(self) -> bytes:
        """The document as JSON."""
        return json.dumps(self.document).encode()

    def header(self, name: str, value: bytes | None) -> None:
        """Set a header, or take it away."""
        self.headers = [(each, its) for each, its in self.headers if each != name]
        if value is not None:
            self.headers.insert(0, (name, value))


Spoil = Callable[[Raw], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to be bad. `numbered`: whether it has a number, which the next record follows."""

    name: str
    reason: str
    spoil: Spoil

    @property
    def numbered(self) -> bool:
        return self.reason != SEQUENCE


def _sequence(value: bytes | None) -> Spoil:
    return lambda raw: raw.header(envelope.HEADER_SEQUENCE, value)


def _type(value: bytes | None) -> Spoil:
    return lambda raw: raw.header(envelope.HEADER_TYPE, value)


def _value(value: bytes | None) -> Spoil:
    return lambda raw: setattr(raw, "value", value)


def _whole(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda raw: setattr(raw, "value", change(raw.value or b""))


def _fields(**changed: Any) -> Spoil:
    def spoil(raw: Raw) -> None:
        raw.document |= changed
        raw.value = raw.encoded()

    return spoil


def _without(name: str) -> Spoil:
    def spoil(raw: Raw) -> None:
        del raw.document[name]
        raw.value = raw.encoded()

    return spoil


def _no_headers(raw: Raw) -> None:
    raw.headers = []


def _doubled_sequence(raw: Raw) -> None:
    raw.headers.insert(0, (envelope.HEADER_SEQUENCE, MARKER.encode()))


def _doubled_type(raw: Raw) -> None:
    raw.headers.insert(1, (envelope.HEADER_TYPE, MARKER.encode()))


def _hyphens(raw: Raw) -> None:
    raw.headers = [(name.replace("_", "-"), value) for name, value in raw.headers]


_SEQUENCES: dict[str, bytes | None] = {
    "no sequence": None,
    "an empty sequence": b"",
    "a sequence of letters": MARKER.encode(),
    "a sequence without epoch": b".7",
    "a sequence without number": b"1.",
    "a sequence without dot": b"17",
    "a sequence of three parts": b"1.2.3",
    "number zero": b"1.0",
    "nothing but zeros": b"0.0",
    "a negative sequence": b"1.-7",
    "a sequence with a plus": b"1.+7",
    "a sequence with a space": b"1. 7",
    "a sequence with an underscore": b"1.1_0",
    "a sequence in hexadecimal": b"0x1.0x7",
    "a sequence with an exponent": b"1.1e3",
    "a number beyond 63 bits": b"1.%d" % 2**63,
    "a sequence of fifty digits": b"1." + b"9" * 50,
    "a sequence in full-width digits": "１.７".encode(),
    "a sequence in Arabic digits": "١.٧".encode(),
    "a sequence with NUL": b"1.7\0",
    "a sequence in UTF-16": "1.7".encode("utf-16"),
    "a sequence that is a document number": NUMBER.encode(),
}
_TYPES: dict[str, bytes | None] = {
    "no type": None,
    "an empty type": b"",
    "a type of letters": MARKER.encode(),
    "a type in capitals": envelope.STAY_CORRECTED.upper().encode(),
    "a future version": envelope.STAY_CORRECTED.replace(".v1", ".v2").encode(),
    "version nought": envelope.STAY_CORRECTED.replace(".v1", ".v0").encode(),
    "a type without version": envelope.STAY_CORRECTED.removesuffix(".v1").encode(),
    "another topic's type": envelope.PREMISES.encode(),
    "a type with a space": envelope.STAY_CORRECTED.encode() + b" ",
    "a type with NUL": envelope.STAY_CORRECTED.encode() + b"\0",
    "a type in UTF-16": envelope.STAY_CORRECTED.encode("utf-16"),
    "a type that is no UTF-8": b"\xff\xfe\xc3",
    "a type of 20,000 letters": MARKER.encode() * 3_000,
}
_VALUES: dict[str, bytes | None] = {
    "a tombstone in a history": None,
    "an empty value": b"",
    "a space": b" ",
    "NUL": b"\0",
    "plain text": MARKER.encode(),
    "XML": b"<?xml version='1.0'?><stay>zqmark</stay>",
    "a form": b"stay_id=zqmark&room=1",
    "Avro's magic byte": b"\x00\x00\x00\x00\x2azqmark",
    "protobuf": b"\x0a\x06zqmark\x10\x01",
    "CBOR": b"\xa1\x64room\x66zqmark",
    "nested lists without end": b"[" * 100_000,
    "nested lists": b"[" * 2_000 + b"]" * 2_000,
    "nested objects": b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    "null": b"null",
    "true": b"true",
    "a number": b"17",
    "a number too large": b"1e999",
    "a text": b'"zqmark"',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "not a number": b'{"room": NaN}',
    "infinite": b'{"room": -Infinity}',
    "half of a surrogate pair": b'{"room": "\\ud800"}',
}
_WHOLES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda value: value[:-9],
    "two documents": lambda value: value + value,
    "a trailing comma": lambda value: value[:-1] + b",}",
    "single quotes": lambda value: value.replace(b'"', b"'"),
    "a comment": lambda value: b"/* zqmark */" + value,
    "a byte order mark": lambda value: b"\xef\xbb\xbf" + value,
    "UTF-16": lambda value: value.decode().encode("utf-16"),
    "UTF-32": lambda value: value.decode().encode("utf-32"),
    "GBK": lambda value: value.replace(b"zqmark", "柳堤".encode("gbk")),
    "Latin-1": lambda value: value.replace(b"zqmark", "Müller".encode("latin-1")),
    "overlong UTF-8": lambda value: value.replace(b"zqmark", b"\xc0\xaf"),
    "a NUL in the middle": lambda value: value.replace(b"zqmark", b"zq\0mark"),
    "a line break in a text": lambda value: value.replace(b"zqmark", b"zq\nmark"),
    "gzip": gzip.compress,
    "in a list": lambda value: b"[" + value + b"]",
    "in a text": lambda value: json.dumps(value.decode()).encode(),
    "in an envelope": lambda value: b'{"specversion": "1.0", "data": ' + value + b"}",
}
_FIELDS: dict[str, dict[str, Any]] = {
    "a stay without id": {"stay_id": None},
    "an id of letters": {"stay_id": MARKER},
    "an id that is a number": {"stay_id": 17},
    "an id cut off": {"stay_id": "01936000-0000-7000-8000-00000000000"},
    "premises in a list": {"premises_id": ["01936000-0000-7000-8000-000000000001"]},
    "premises that are an object": {"premises_id": {}},
    "a room that is a number": {"room": 806},
    "a room of 41 letters": {"room": "z" * 41},
    "a room of a megabyte": {"room": MARKER * 150_000},
    "a division of letters": {"division_code": MARKER},
    "a division of five digits": {"division_code": "33019"},
    "a division of thirteen digits": {"division_code": "3" * 13},
    "a division in full-width digits": {"division_code": "３３０１９９"},
    "a division that is a number": {"division_code": 330199},
    "an unknown kind": {"kind": MARKER},
    "no kind": {"kind": None},
    "kinds in a list": {"kind": ["hotel_guest"]},
    "a time without offset": {"occurred_at": "2026-11-24T10:44:00"},
    "a day": {"occurred_at": "2026-11-24"},
    "a time of letters": {"occurred_at": MARKER},
    "a time that is a number": {"recorded_at": 1_764_000_000},
    "a time that is true": {"recorded_at": True},
    "the 30th of February": {"recorded_at": "2026-02-30T00:00:00Z"},
    "month nought": {"recorded_at": "2026-00-01T00:00:00Z"},
    "hour 25": {"recorded_at": "2026-11-24T25:00:00Z"},
    "the year nought": {"recorded_at": "0000-01-01T00:00:00Z"},
    "the year 10000": {"recorded_at": "10000-01-01T00:00:00Z"},
    "an offset of 99 hours": {"recorded_at": "2026-11-24T10:44:00+99:00"},
    "an end of letters": {"ended_at": MARKER},
    "a token that is a text": {"token": MARKER},
    "a token in a list": {"token": [MARKER]},
    "a token without value": {"token": {"key_id": "m1"}},
    "a token whose value is an object": {"token": {"key_id": "m1", "value": {}}},
    "a token whose value is a number": {"token": {"key_id": "m1", "value": 17}},
    "a token that is a number": {"token": 17},
}
# Sound by the contract: only the database, or the calendar, refuses them.
_UNSTORABLE: dict[str, dict[str, Any]] = {
    "a room with NUL": {"room": f"{MARKER}\0"},
    "before the first year": {"occurred_at": "0001-01-01T00:00:00+14:00"},
    "after the last year": {"occurred_at": "9999-12-31T23:59:59-14:00"},
}

KINDS: tuple[Kind, ...] = (
    *(Kind(name, SEQUENCE, _sequence(value)) for name, value in _SEQUENCES.items()),
    Kind("no headers", SEQUENCE, _no_headers),
    Kind("two sequences, the first a bad one", SEQUENCE, _doubled_sequence),
    Kind("headers with hyphens", SEQUENCE, _hyphens),
    *(Kind(name, TYPE, _type(value)) for name, value in _TYPES.items()),
    Kind("two types, the first a bad one", TYPE, _doubled_type),
    *(Kind(name, VALUE, _value(value)) for name, value in _VALUES.items()),
    *(Kind(name, VALUE, _whole(change)) for name, change in _WHOLES.items()),
    *(Kind(name, VALUE, _fields(**changed)) for name, changed in _FIELDS.items()),
    *(
        Kind(f"without {name}", VALUE, _without(name))
        for name in ("stay_id", "premises_id", "division_code", "kind", "occurred_at", "recorded_at")
    ),
    *(Kind(name, STORE, _fields(**changed)) for name, changed in _UNSTORABLE.items()),
)
