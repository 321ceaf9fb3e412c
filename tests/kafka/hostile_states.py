"""Kinds of records of a state, premises, that no reader can keep, each with its dead letter's code."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.kafka.hostile_records import MARKER, NUMBER, STORE, VALUE

KEY, VERSION = "unreadable-key", "unreadable-version"

# Without a key at all it cannot be: a compacted topic refuses that.
State = tuple[bytes, bytes]


def premises(premises_id: str, number: int, **changes: Any) -> dict[str, Any]:
    """A version of premises whose capacity is its number."""
    sound = {
        "premises_id": premises_id,
        "kind": "rental",
        "status": "open",
        "address": "柳堤街道湖滨路 1 号",
        "division_code": "330199001",
        "capacity": number,
        "version": f"1.{number}",
    }
    return sound | changes


def _made(key: bytes | None = None, **changes: Any) -> Callable[[], State]:
    def made() -> State:
        premises_id = str(uuid4())
        value = premises(premises_id, 1, **({"address": f"{MARKER} {NUMBER}"} | changes))
        return key if key is not None else premises_id.encode(), json.dumps(value).encode()

    return made


def _raw(value: bytes) -> Callable[[], State]:
    return lambda: (str(uuid4()).encode(), value)


def _without(name: str) -> Callable[[], State]:
    def made() -> State:
        key, value = _made()()
        document = json.loads(value)
        del document[name]
        return key, json.dumps(document).encode()

    return made


STATES: dict[str, tuple[str, Callable[[], State]]] = {
    "an empty key": (KEY, _made(b"")),
    "a key that is no UTF-8": (KEY, _made(b"\xff\xc3")),
    "an empty value": (VALUE, _raw(b"")),
    "text": (VALUE, _raw(MARKER.encode())),
    "not a number": (VALUE, _raw(b'{"version": NaN}')),
    "half of a surrogate pair": (VALUE, _raw(b'{"version": "1.1", "address": "\\udfff"}')),
    "a list": (VERSION, _raw(b"[]")),
    "no version": (VERSION, _without("version")),
    "a version of letters": (VERSION, _made(version=MARKER)),
    "a version that is a number": (VERSION, _made(version=1.1)),
    "version nought": (VERSION, _made(version="1.0")),
    "a version beyond 63 bits": (VERSION, _made(version=f"1.{2**63}")),
    "a version in full-width digits": (VERSION, _made(version="１.１")),
    "without capacity": (VALUE, _without("capacity")),
    "less than nothing": (VALUE, _made(capacity=-1)),
    "half a bed": (VALUE, _made(capacity=0.5)),
    "an unknown status": (VALUE, _made(status=MARKER)),
    "an address of a megabyte": (VALUE, _made(address=MARKER * 150_000)),
    "north of the pole": (VALUE, _made(latitude=90.5)),
    "hazards in a text": (VALUE, _made(open_hazards=MARKER)),
    "more beds than a column holds": (STORE, _made(capacity=2**31)),
    "an address with NUL": (STORE, _made(address=f"{MARKER}\0")),
}
