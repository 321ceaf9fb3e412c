"""What matched nothing leaves no trace: no stay and no token in alerts but those of alerts and notices."""

import json
import re
from collections.abc import Iterator

from tests.chaos.checker.evidence import Evidence
from tests.chaos.checker.findings import Finding

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


def check(evidence: Evidence) -> Iterator[Finding]:
    """Look through every table, log and topic of alerts for stays and tokens that have no business there."""
    matched = {row["stay_id"] for row in evidence.table("alerts.alerts") if row["source"] == "notice"}
    stays: set[str] = {row["stay_id"] for row in evidence.table("registration.stays")}
    tokens: set[str] = set()
    for record in evidence.topic("registration.stays"):
        body = record.body
        stays.add(record.key)
        tokens |= {body[name]["value"] for name in ("token", "expiry_token") if body.get(name)}
    wanted = {
        json.loads(row["content"])["subject"]["document"]["token"]["value"]
        for row in evidence.table("alerts.notice_terms")
    }
    nobodys_stays, nobodys_tokens = stays - matched, tokens - wanted
    for where, text in _texts(evidence):
        for found in set(UUID.findall(text)) & nobodys_stays:
            yield Finding("trace", where, f"stay {found} matched nothing")
        if set(TOKEN.findall(text)) & nobodys_tokens:
            yield Finding("trace", where, "a document's token that no notice names")
        if where.startswith("log ") and set(TOKEN.findall(text)) & tokens:
            yield Finding("trace", where, "a document's token")


def _texts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for table, rows in evidence.tables.items():
        if table.startswith("alerts."):
            yield table, "\n".join(_readable(row) for row in rows)
    for topic, records in evidence.topics.items():
        if topic.startswith("alerts."):
            yield f"topic {topic}", "\n".join(f"{record.key} {record.value} {record.headers}" for record in records)
    for name, text in evidence.logs.items():
        yield f"log {name}", text


def _readable(row: dict[str, object]) -> str:
    """A row as text, with what bytes say."""
    said = [
        bytes.fromhex(value[2:]).decode("utf-8", errors="replace")
        for value in row.values()
        if isinstance(value, str) and value.startswith("\\x")
    ]
    return json.dumps(row, ensure_ascii=False) + "\n".join(said)
