"""Hypothesis strategies of what no client should send: values, bodies made from sound ones, addresses, headers."""

import copy
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from hypothesis import strategies as st

from tests.fuzz.bodies import sound
from tests.fuzz.fuzzed import ACTORS, Fuzzed
from tests.fuzz.sending import Request

# Stands in what is typed and nowhere else: wherever it comes out again, input was repeated.
MARKER = "zqmark"
NUMBER = "330199199001010015"

TEXTS = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        f"{MARKER}\x00",
        MARKER,
        f"<script>{MARKER}</script>",
        f"\"'><img src=x onerror={MARKER}>",
        f"'; DROP TABLE {MARKER};--",
        f"{{{{{MARKER}}}}}{{0}}%s%n${{{MARKER}}}",
        f"../../{MARKER}",
        f"{MARKER}\r\nset-cookie: a={MARKER}",
        f"{MARKER}\ud800",
        "\udfff",
        f"\u202e{MARKER}\u2066",
        f"\ufeff{MARKER}",
        MARKER * 2_000,
        "𠮷" * 300,
        "a\u0301" * 200,
        NUMBER,
        f"{NUMBER} {MARKER}",
        "9" * 400,
        "٣٣٠١٩٩",
        "NaN",
        "null",
        "-1",
        "1e9",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999999-23:59",
        "2026-02-30",
        "2026-11-24T24:00:00Z",
        "2026-11-24T10:00:00",
        "0000-00-00",
        "9999-12-31",
        "00000000-0000-0000-0000-000000000000",
        "{01936000-0000-7000-8000-000000000001}",
        "urn:uuid:01936000-0000-7000-8000-000000000001",
    ]
)
NUMBERS = st.sampled_from([-1, 0, 2**31, 2**53 + 1, 2**63, 2**64, 10**400, -(2**63) - 1, 1e308, -0.0, 0.1, 1e-320])
NO_NUMBERS = st.sampled_from([float("nan"), float("inf"), float("-inf")])
PLAIN = st.one_of(TEXTS, TEXTS, NUMBERS, NO_NUMBERS, st.booleans(), st.none(), st.text(max_size=40), st.integers())
TREES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)
MANY: st.SearchStrategy[Any] = st.sampled_from(
    [[], {}, [None] * 5_000, [[]], {"": ""}, {f"<{MARKER}>": MARKER}, [{}] * 300, [MARKER] * 3_001]
)
VALUES = st.one_of(PLAIN, PLAIN, TREES, MANY)

RAW_BODIES = [
    b"",
    b" ",
    b"\x00",
    b"{",
    b"[]",
    b"null",
    b"0",
    b'"zqmark"',
    b"{}{}",
    b'{"reason": "zqmark", "reason": 1}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"reason": "\xc3\x28"}',
    b'{"reason": "\\ud800"}',
    b'{"reason": 1e999}',
    b"[" * 20_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"reason": "' + b"x" * 600_000 + b'"}',
    b"x" * (1024 * 1024 + 1),
    b"reason=zqmark&why=withdrawn",
    b"--b\r\ncontent-disposition: form-data; name=reason\r\n\r\nzqmark\r\n--b--\r\n",
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
]
MEDIA_TYPES = [
    "",
    "text/plain",
    "application/json; charset=utf-16",
    "application/json, application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "application/vnd.api+json",
    f"{MARKER}/{MARKER}",
    "application/json;" + "a" * 4_000,
]
HEADER_VALUES = [
    b"",
    b" ",
    b"\xff\xfe",
    MARKER.encode(),
    b"zqmark\xc3\x28",
    b"x" * 9_000,
    b"{}",
    b"-1",
    b"*/*",
    b"\x00",
    b"a\tb",
    NUMBER.encode(),
    b"Bearer zqmark",
    b"Basic enFtYXJr",
    b"9" * 30,
]
HEADERS = [
    b"idempotency-key",
    b"anju-purpose",
    b"anju-case",
    b"anju-on-behalf-of",
    b"authorization",
    b"accept",
    b"accept-language",
    b"accept-encoding",
    b"cookie",
    b"traceparent",
    b"content-length",
    b"content-encoding",
    b"transfer-encoding",
    b"expect",
    b"host",
    b"origin",
    b"sec-fetch-site",
    b"x-forwarded-for",
    b"last-event-id",
    b"range",
    b"hx-request",
    b"x-zqmark",
]
BAD_STEPS = st.sampled_from([MARKER, NUMBER, "%00", "%ff", "..", "%2e%2e%2fzqmark", "a" * 5_000, "٣"])
METHODS = ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "ZQMARK"]


KEYS = st.sampled_from([f"<{MARKER}>", "__proto__", "", NUMBER, "a/b~c", "id"])
RAW_QUERIES = ["%", "%zz", "%ff%fe", "%ed%a0%80", "a=b=c", "%00", "+"]


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a body: at the place of this rank, in this way, with this key or value."""

    rank: int
    way: int
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is drawn of a request. It names nothing of the service's, so that a draw can be repeated."""

    salt: int
    changes: list[Change]
    step: str | None
    queries: list[tuple[int, str]]
    ascii: bool


CHANGES = st.builds(Change, st.integers(0, 2**20), st.integers(0, 5), KEYS, VALUES)
QUERIES = st.tuples(st.integers(0, 9), st.one_of(TEXTS, st.text(max_size=30), st.just("x" * 20_000)))
PLANS = st.builds(
    Plan,
    salt=st.integers(0, 2**32),
    changes=st.lists(CHANGES, max_size=3),
    step=st.one_of(st.none(), st.none(), st.none(), BAD_STEPS),
    queries=st.lists(QUERIES, max_size=2),
    ascii=st.booleans(),
)


def _places(tree: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, inner in steps:
        yield from _places(inner, (*place, step))


def changed(body: dict[str, Any], changes: Sequence[Change]) -> Any:
    """Return a sound body with some values replaced, dropped, doubled, or with a field that nobody asked for."""
    tree: Any = json.loads(json.dumps(body))
    for at, change in enumerate(changes):
        places = [each for each in _places(tree) if each]
        if not places:
            return copy.deepcopy(change.value)
        *way, last = places[change.rank % len(places)]
        around = tree
        for step in way:
            around = around[step]
        match change.way:
            case 0 if isinstance(around, dict):
                around.pop(last)
            case 1 if isinstance(around, dict):
                around[change.key] = copy.deepcopy(change.value)
            case 2:
                # Many only once: fifty of fifty of a long text would be more than this machine holds.
                around[last] = [around[last]] * (change.rank % 50 if at == 0 else 2)
            case _:
                # A copy: what is drawn twice would else hold itself, and be no JSON.
                around[last] = copy.deepcopy(change.value)
    return tree


def request(fuzzed: Fuzzed, method: str, path: str, operation: dict[str, Any], role: int, plan: Plan) -> Request:
    """Return a request that is sound but for what the plan says, by a caller who is mostly admitted."""
    choice = random.Random(plan.salt)
    parameters = operation.get("parameters", [])
    addressed = {each["name"]: known(choice, fuzzed, each["name"]) for each in parameters if each["in"] == "path"}
    headers = _caller(choice, fuzzed, role, addressed)
    body = b""
    typed: list[Any] = [value for _rank, value in plan.queries]
    if "requestBody" in operation:
        headers["content-type"] = "application/json"
        made = changed(sound(path, addressed, choice, fuzzed.ids), plan.changes)
        if plan.changes:
            typed.append(made)
        body = json.dumps(made, ensure_ascii=plan.ascii).encode(errors="surrogatepass")
    if addressed and plan.step is not None:
        addressed[choice.choice(sorted(addressed))] = plan.step
        typed.append(plan.step)
    target = path
    for name, value in addressed.items():
        target = target.replace(f"{{{name}}}", quote(value, safe="%."))
    target += _query(choice, parameters, plan.queries)
    return Request(method, target, [(n.encode(), v.encode()) for n, v in headers.items()], body, typed)


def _caller(choice: random.Random, fuzzed: Fuzzed, role: int, addressed: Mapping[str, str]) -> dict[str, str]:
    who, unit = ACTORS[role]
    # Few colleagues, so that they meet each other's work; many authors, since each may ask for few tokens an hour.
    return headers_of(fuzzed, who, unit, addressed, f"人{choice.randrange(500)}" if who == "notice_author" else "")


def headers_of(fuzzed: Fuzzed, role: str, unit: str, addressed: Mapping[str, str], name: str = "") -> dict[str, str]:
    """Everything that a call may ask of a caller: token, key, purpose and case, and on whose behalf."""
    name = "alerts" if role == "service" else name
    headers = fuzzed.headers(role, unit, name) | {"idempotency-key": str(uuid4())}
    if role == "service":
        headers["anju-on-behalf-of"] = str(uuid4())
    if role == "duty_officer" and "alert_id" in addressed:
        headers["anju-case"] = addressed["alert_id"]
    return headers


def known(choice: random.Random, fuzzed: Fuzzed, name: str) -> str:
    """An id of the service's, mostly one of the newest."""
    found = fuzzed.ids.of.get(name) or [str(uuid4())]
    return choice.choice(found[-8:] if choice.random() < 0.7 else found)


def _query(choice: random.Random, parameters: list[dict[str, Any]], queries: Sequence[tuple[int, str]]) -> str:
    names = [each["name"] for each in parameters if each["in"] == "query"] + [MARKER]
    parts: list[str] = []
    for rank, value in queries:
        encoded = choice.choice(RAW_QUERIES) if rank == 0 else quote(value, errors="surrogatepass")
        parts.append(f"{names[rank % len(names)]}={encoded}")
    return f"?{'&'.join(parts)}" if parts else ""


def spoiled(request: Request, choice: random.Random) -> Iterator[Request]:
    """The same request in envelopes that no client should use: headers, media type or method, body."""
    header = request.copy()
    name, value = choice.choice(HEADERS), choice.choice(HEADER_VALUES)
    if choice.random() < 0.5:
        header.replace(name, value)
    else:
        header.headers.append((name, value))
    yield header
    other = request.copy()
    if choice.random() < 0.7:
        other.replace(b"content-type", choice.choice(MEDIA_TYPES).encode())
    else:
        other.method = choice.choice(METHODS)
    yield other
    body = request.copy()
    body.body = choice.choice(RAW_BODIES)
    yield body
