"""Hypothesis strategies of what no client should send: values, bodies made from sound ones, addresses, headers."""

import json
import random
from collections.abc import Iterator, Mapping
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


def _places(tree: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, inner in steps:
        yield from _places(inner, (*place, step))


@st.composite
def mutated(draw: st.DrawFn, body: dict[str, Any]) -> Any:
    """A sound body with some values replaced, dropped, doubled, or with a field that nobody asked for."""
    tree: Any = json.loads(json.dumps(body))
    for _ in range(draw(st.integers(1, 3))):
        places = [each for each in _places(tree) if each]
        if not places:
            return draw(VALUES)
        *way, last = draw(st.sampled_from(places))
        around = tree
        for step in way:
            around = around[step]
        match draw(st.integers(0, 5)):
            case 0 if isinstance(around, dict):
                around.pop(last, None)
            case 1 if isinstance(around, dict):
                around[draw(st.sampled_from([f"<{MARKER}>", "__proto__", "", NUMBER, "a/b~c", "id"]))] = draw(PLAIN)
            case 2:
                around[last] = [around[last]] * draw(st.sampled_from([1, 2, 400]))
            case _:
                around[last] = draw(VALUES)
    return tree


@st.composite
def requests(draw: st.DrawFn, fuzzed: Fuzzed, method: str, path: str, operation: dict[str, Any], role: int) -> Request:
    """A request that is sound but for one or two things, by a caller who is mostly admitted."""
    choice = random.Random(draw(st.integers(0, 2**32)))
    parameters = operation.get("parameters", [])
    addressed = {each["name"]: known(choice, fuzzed, each["name"]) for each in parameters if each["in"] == "path"}
    headers = _caller(draw, fuzzed, role, addressed)
    body = b""
    typed: list[Any] = []
    if "requestBody" in operation:
        headers["content-type"] = "application/json"
        made = sound(path, addressed, choice, fuzzed.ids)
        if draw(st.integers(0, 9)) < 7:
            made = draw(mutated(made))
            typed.append(made)
        body = json.dumps(made, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    if addressed and draw(st.integers(0, 9)) == 0:
        bad = draw(st.sampled_from(sorted(addressed)))
        addressed[bad] = draw(
            st.sampled_from([MARKER, NUMBER, "%00", "%ff", "..", "%2e%2e%2fzqmark", "a" * 5_000, "٣"])
        )
        typed.append(addressed[bad])
    query = _query(draw, parameters, typed)
    target = path
    for name, value in addressed.items():
        target = target.replace(f"{{{name}}}", quote(value, safe="%."))
    return Request(method, f"{target}{query}", [(n.encode(), v.encode()) for n, v in headers.items()], body, typed)


def _caller(draw: st.DrawFn, fuzzed: Fuzzed, role: int, addressed: Mapping[str, str]) -> dict[str, str]:
    if draw(st.integers(0, 19)) == 0:
        role = draw(st.integers(0, len(ACTORS) - 1))
    who, unit = ACTORS[role]
    # Few colleagues, so that they meet each other's work; many authors, since each may ask for few tokens an hour.
    return headers_of(fuzzed, who, unit, addressed, f"人{draw(st.integers(0, 500))}" if who == "notice_author" else "")


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


def _query(draw: st.DrawFn, parameters: list[dict[str, Any]], typed: list[Any]) -> str:
    names = [each["name"] for each in parameters if each["in"] == "query"] + [MARKER]
    parts: list[str] = []
    for _ in range(draw(st.integers(0, 2 if len(names) > 1 else 1))):
        value = draw(st.one_of(TEXTS, st.text(max_size=30), st.integers().map(str), st.just("x" * 20_000)))
        encoded = quote(value, errors="surrogatepass")
        if draw(st.integers(0, 9)) == 0:
            encoded = draw(st.sampled_from(["%", "%zz", "%ff%fe", "%ed%a0%80", "a=b=c", "%00", "+"]))
        typed.append(value)
        parts.append(f"{draw(st.sampled_from(names))}={encoded}")
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
