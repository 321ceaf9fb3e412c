"""The statements of one real arrival, and a pgbench script of them.

Whatever was another value in a second arrival, and names a row, becomes random in the script: ids, keys, tokens. The
rest (sealed values, times, the event's JSON) is bound as it was, parameter by parameter, as the driver binds it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from asyncpg.connection import LoggedQuery

from chassis.data.transaction import driver_of
from chassis.run.service import WebParts
from tests.provider import TokenProvider

PLACEHOLDER = re.compile(r"\$([0-9]+)")
# pgbench's random numbers; two rows of the same number would be one row.
LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it reached the driver; several rows are sent in a pipeline, as asyncpg's executemany does."""

    sql: str
    rows: Sequence[Sequence[Any]]


@dataclass(slots=True)
class Script:
    """A pgbench script, and the values of its fixed variables."""

    text: str
    variables: dict[str, str] = field(default_factory=dict)


async def captured(parts: WebParts, provider: TokenProvider, body: Mapping[str, Any]) -> list[Statement]:
    """POST one arrival to an application in this process; return what its transaction asked the database.

    What the driver asks for itself, once for each type it has not met, is among the first one's.
    """
    assert parts.db is not None
    found: list[Statement] = []

    def note(query: LoggedQuery) -> None:
        if query.args:
            many = isinstance(query.args, list)
            found.append(Statement(query.query, query.args if many else [query.args]))

    # The connection that came back last is the one that the next transaction is lent.
    async with parts.db.connection() as connection:
        driver = driver_of(connection)
    driver.add_query_logger(note)
    headers = provider.headers("clerk", "station-01") | {"idempotency-key": str(body["person"]["document"]["number"])}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=parts.app), base_url="http://bench") as http:
        answer = await http.post("/api/v1/arrivals", json=body, headers=headers)
    driver.remove_query_logger(note)
    if answer.status_code != 201:
        raise RuntimeError(f"the arrival was answered {answer.status_code}")
    return found


def script(first: Sequence[Statement], second: Sequence[Statement], premises_id: UUID, premises: int) -> Script:
    """Return what pgbench runs; `premises_id` becomes one of `premises` whose ids are 1, 2, 3 …"""
    if [each.sql for each in first] != [each.sql for each in second]:
        raise RuntimeError("two arrivals of new persons asked different things")
    made = _Maker(premises_id)
    made.differing = {
        _text(value)
        for one, other in zip(first, second, strict=True)
        for row, its in zip(one.rows, other.rows, strict=True)
        for value, another in zip(_flat(row), _flat(its), strict=True)
        if value != another
    }
    statements = []
    for each in first:
        lines = [made.bound(each.sql, row) for row in each.rows]
        statements += lines if len(lines) == 1 else ["\\startpipeline", *lines, "\\endpipeline"]
    sets = [f"\\set premises random(1, {premises})"]
    sets += [f"\\set {name} random(1, {LARGEST})" for name in made.random.values()]
    return Script("\n".join([*sets, "BEGIN;", *statements, "COMMIT;"]) + "\n", made.fixed)


@dataclass(slots=True)
class _Maker:
    premises_id: UUID
    differing: set[str] = field(default_factory=set)
    random: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)

    def bound(self, sql: str, row: Sequence[Any]) -> str:
        """One statement with pgbench's variables in the places of its parameters."""
        one_line = " ".join(sql.split())
        return PLACEHOLDER.sub(lambda match: self._value(row[int(match[1]) - 1]), one_line) + ";"

    def _value(self, value: Any) -> str:
        if isinstance(value, list):
            return f"ARRAY[{', '.join(self._value(each) for each in value)}]"
        text = _text(value)
        if text == str(self.premises_id):
            return _made("premises", value)
        if text in self.differing and _names_a_row(value):
            return _made(self.random.setdefault(text, f"r{len(self.random)}"), value)
        name = f"v{len(self.fixed)}"
        self.fixed[name] = f"\\x{value.hex()}" if isinstance(value, bytes) else text
        return f":{name}" if value is not None else "NULL"


def _names_a_row(value: Any) -> bool:
    # Of bytes only the idempotency key's MAC does, which has 32; what is sealed is longer or shorter.
    return isinstance(value, UUID) or (isinstance(value, bytes) and len(value) == 32) or isinstance(value, str)


def _made(variable: str, value: Any) -> str:
    """An expression of the value's own form and length over a random number."""
    if isinstance(value, bytes):
        return f"decode(lpad(to_hex(:{variable}::bigint), {2 * len(value)}, '0'), 'hex')"
    dashed = f"lpad(to_hex(:{variable}::bigint), 32, '0')::uuid"
    if isinstance(value, UUID):
        return dashed
    return f"{dashed}::text" if len(value) == 36 else f"lpad(to_hex(:{variable}::bigint), {len(value)}, '0')"


def _flat(row: Sequence[Any]) -> list[Any]:
    """The values of a row, those of its arrays too."""
    return [each for value in row for each in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
