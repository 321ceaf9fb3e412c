"""Errors: each status as it is meant, in the reader's language, without anything that was sent."""

import json
import re

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, InterfaceError
from starlette.types import Message

from chassis.run.service import WebParts
from chassis.web.problems import of_database

NUMBER = "330199199001011234"
THING = "/api/v1/things/01935a3b-0000-7000-8000-000000000001"
WHY = {"anju-purpose": "registration_service", "anju-case": "C-1"}


def codes(response: httpx.Response) -> dict[str, str]:
    return {each["pointer"]: each["code"] for each in response.json()["errors"]}


async def test_field_errors_name_place_code_and_sentence(clerk: httpx.AsyncClient) -> None:
    body = {"name": 5, "document": {"kind": "x" * 21}, "count": "12", "share": True, "agreed": 1, "colour": "red"}
    response = await clerk.post("/api/v1/things", json=body | {"at": 5, "premises_id": "x", "rooms": list("abcd")})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:anju:problem:invalid"
    assert codes(response) == {
        "/name": "not-a-text",
        "/document/kind": "too-long",
        "/document/number": "required",
        "/count": "not-an-integer",
        "/share": "not-a-number",
        "/agreed": "not-a-boolean",
        "/at": "not-a-time",
        "/premises_id": "not-an-id",
        "/rooms": "too-many",
        "/colour": "unknown-field",
    }
    sentences = {each["pointer"]: each["message"] for each in response.json()["errors"]}
    assert "20" in sentences["/document/kind"]


async def test_time_without_offset_is_refused(clerk: httpx.AsyncClient) -> None:
    response = await clerk.post("/api/v1/things", json={"name": "a", "at": "2026-11-24T10:44:00"})
    assert codes(response) == {"/at": "offset-missing"}


@pytest.mark.parametrize("header", ["en", "en-GB,en;q=0.9", "fr;q=1, en;q=0.5", "zh;q=0.1, en;q=0.2"])
async def test_english_for_who_reads_english(clerk: httpx.AsyncClient, header: str) -> None:
    response = await clerk.post("/api/v1/things", json={}, headers={"accept-language": header})
    assert response.json()["title"] == "The request is not valid. See the fields."
    assert response.json()["errors"][0]["message"] == "This field is required."


@pytest.mark.parametrize("header", ["", "fr", "zh-TW", "en;q=x", "*", ";;;,,q="])
async def test_chinese_for_everybody_else(clerk: httpx.AsyncClient, header: str) -> None:
    response = await clerk.post("/api/v1/things", json={}, headers={"accept-language": header})
    assert re.search("[一-鿿]", response.json()["title"])
    assert response.headers["content-language"] == "zh-CN"


@pytest.mark.parametrize(
    "body",
    [
        {"name": NUMBER * 10},
        {"name": "a", NUMBER: 1},
        {"name": "a", "李华": 1},
        {"name": "a", "document": {"kind": NUMBER, "number": NUMBER * 3}},
        {"name": "a", "count": NUMBER},
        {"name": "a", "premises_id": NUMBER},
        {"name": "a", "at": NUMBER},
    ],
)
async def test_nothing_that_was_sent_comes_back(clerk: httpx.AsyncClient, body: object) -> None:
    response = await clerk.post("/api/v1/things", json=body)
    assert response.status_code == 422
    assert NUMBER not in response.text
    assert "李华" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", f"/{NUMBER}", 404, "not-found"),
        ("GET", "/api/v1/things/", 404, "not-found"),
        ("GET", "/api/v1/things/not-an-id", 404, "not-found"),
        ("GET", "/api/v1/things/%00", 404, "not-found"),
        ("GET", "/api/v1/find?address=%00", 422, "not-storable"),
        ("GET", "/api/v1/find?address=%ff%fe", 200, ""),
        ("DELETE", "/api/v1/things", 405, "method-not-allowed"),
        ("BREW", "/api/v1/things", 405, "method-not-allowed"),
        ("GET", "/assets/../../etc/passwd", 404, "not-found"),
        ("GET", "/assets/htmx.min.js", 404, "not-found"),  # only the name with the hash is served
        ("GET", f"{THING}?limit=101", 422, "invalid"),
        ("GET", f"{THING}?limit=x", 422, "invalid"),
    ],
)
async def test_status_and_code(clerk: httpx.AsyncClient, method: str, path: str, status: int, code: str) -> None:
    response = await clerk.request(method, path, headers=WHY)
    assert response.status_code == status
    assert response.json().get("type", "urn:anju:problem:") == f"urn:anju:problem:{code}"
    assert NUMBER not in response.text
    if status == 405:
        assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("23505", 409, "conflict"),
        ("22003", 422, "not-storable"),
        ("40001", 503, "overloaded"),
        ("53100", 503, "overloaded"),  # the database's disk is full: chaos met it, and terminals come back
        ("42P01", 500, "internal"),
    ],
)
def test_what_the_database_refused(state: str, status: int, code: str) -> None:
    refusal = Exception()
    refusal.sqlstate = state  # type: ignore[attr-defined]
    problem = of_database(DBAPIError("INSERT", None, refusal))
    assert (problem.status, problem.code) == (status, code)


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        (asyncpg.exceptions._base.DataError("invalid input"), 422, "not-storable"),
        (asyncpg.InterfaceError("another operation is in progress"), 500, "internal"),
    ],
)
def test_what_the_driver_refused_before_it_sent(cause: Exception, status: int, code: str) -> None:
    refusal = Exception()
    refusal.__cause__ = cause
    problem = of_database(InterfaceError("INSERT", None, refusal))
    assert (problem.status, problem.code) == (status, code)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON;charset="UTF-8"', 200),
        ("application/json; charset=gbk", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/problem+json", 415),
        ("", 415),
        ("\xff", 415),
    ],
)
async def test_only_json_is_taken(clerk: httpx.AsyncClient, content_type: str, status: int) -> None:
    headers = {b"content-type": content_type.encode("latin-1")} if content_type else {}
    response = await clerk.post("/api/v1/things", content=b'{"name": "a"}', headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\xff"}',
        b'{"name": "\x00"}',
        b"[" * 100_000,
        b'{"name":' * 2_000 + b"1" + b"}" * 2_000,
        b"9" * 10_000,
        b'\xef\xbb\xbf{"name": "a"}',
        '{"name": "a"}'.encode("utf-16"),
    ],
)
async def test_malformed_json_is_400(clerk: httpx.AsyncClient, body: bytes) -> None:
    response = await clerk.post("/api/v1/things", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["type"]) == (400, "urn:anju:problem:malformed-json")


async def test_a_missing_body_lacks_everything(clerk: httpx.AsyncClient) -> None:
    response = await clerk.post("/api/v1/things")
    assert (response.status_code, codes(response)) == (422, {"": "required"})


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\x07", "\x7f", "\x1b[2J"])
async def test_characters_that_cannot_be_stored(clerk: httpx.AsyncClient, text: str) -> None:
    body = {"name": text, "document": {"kind": "a", "number": text}, "rooms": ["ok", text]}
    response = await clerk.post("/api/v1/things", json=body)
    assert response.status_code == 422
    assert set(codes(response).values()) == {"unprintable-character"}
    assert set(codes(response)) == {"/name", "/document/number", "/rooms"}


async def test_huge_numbers_are_no_fault_of_ours(clerk: httpx.AsyncClient) -> None:
    for number in ("1" * 30, "-" + "9" * 300, "1e308"):
        response = await clerk.post(
            "/api/v1/things",
            content=f'{{"name": "a", "count": {number}}}',
            headers={"content-type": "application/json"},
        )
        assert response.status_code == 422


async def test_domain_error_becomes_its_problem(clerk: httpx.AsyncClient) -> None:
    response = await clerk.post("/api/v1/things", json={"name": "refused"})
    assert response.status_code == 409
    assert response.json()["type"] == "urn:anju:problem:already-departed"
    assert response.json()["state"] == "ended"


async def test_fault_of_ours_says_nothing(clerk: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    response = await clerk.post("/api/v1/things", json={"name": "broken"})
    assert (response.status_code, response.json()["type"]) == (500, "urn:anju:problem:internal")
    assert "secret" not in response.text
    assert NUMBER not in response.text + capsys.readouterr().out


@pytest.mark.parametrize("path", ["/api/v1/busy", "/api/v1/away"])
async def test_full_or_absent_database_is_503_to_be_tried_again(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["name", "document", "count", "share", "agreed", "at", "premises_id", "rooms", "other"])


@given(body=st.dictionaries(FIELDS, JSON, max_size=5) | JSON)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_body_makes_a_5xx(clerk: httpx.AsyncClient, body: object) -> None:
    response = await clerk.post(
        "/api/v1/things", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert response.status_code < 500 or body == {"name": "broken"}


async def raw(parts: WebParts, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """Send what no client library would, as the server hands it on; return the status."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": None,
        "server": ("demo.test", 80),
        "state": {},
    }
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    await parts.app(scope, receive, send)
    return status


async def test_a_query_of_raw_bytes_is_400(parts: WebParts) -> None:
    for path in ("/callback", "/login", "/api/v1/find"):
        assert await raw(parts, "GET", path, b"a=\x80", []) == 400


NAMES = (
    *("anju-purpose", "anju-case", "idempotency-key", "cookie", "traceparent", "accept-language", "accept", "host"),
    *("authorization", "content-type", "content-length", "hx-request", "hx-current-url", "origin", "sec-fetch-site"),
)


@given(
    method=st.sampled_from(["GET", "POST", "OPTIONS", "TRACE"]),
    path=st.sampled_from(["/api/v1/find", "/api/v1/things", THING, "/", "/act", "/login", "/callback", "/assets/"]),
    rest=st.text(max_size=10),
    query=st.binary(max_size=30),
    headers=st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=30)), max_size=6),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_address_and_no_header_makes_a_5xx(
    parts: WebParts, method: str, path: str, rest: str, query: bytes, headers: list[tuple[str, bytes]]
) -> None:
    status = await raw(parts, method, path + rest, query, [(name.encode(), value) for name, value in headers])
    assert 200 <= status < 500
