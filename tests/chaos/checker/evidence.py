"""What a run left behind: the journal's lines, every table's rows, every topic's records, as plain data."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True)
class Record:
    """One record of a topic. `value` is its text, None for a deleted key; `sequence` is `(epoch, number)`."""

    partition: int
    offset: int
    key: str
    value: str | None
    headers: dict[str, str]

    @property
    def id(self) -> str:
        """The event's id."""
        return self.headers.get("ce_id", "")

    @property
    def type(self) -> str:
        """The event's name between service and version: `person-arrived` of `anju.registration.person-arrived.v1`."""
        parts = self.headers.get("ce_type", "").split(".")
        return parts[2] if len(parts) == 4 else ""

    @property
    def sequence(self) -> tuple[int, int] | None:
        """Epoch and number, on histories."""
        return pair(self.headers.get("ce_sequence"))

    @property
    def body(self) -> Row:
        """The value's object."""
        found: Row = json.loads(self.value) if self.value else {}
        return found


def pair(text: str | None) -> tuple[int, int] | None:
    """Read `epoch.number`."""
    epoch, _, number = (text or "").partition(".")
    return (int(epoch), int(number)) if epoch.isdigit() and number.isdigit() else None


@dataclass(slots=True)
class Evidence:
    """Everything that the checker looks at. Tables are named `service.table`; rows are as `to_jsonb` gives them."""

    journal: list[Row] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    topics: dict[str, list[Record]] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)
    # Where each topic's partitions end: {topic: {partition: the next offset}}.
    ends: dict[str, dict[int, int]] = field(default_factory=dict)
    # What the processes of alerts wrote into their logs.
    logs: dict[str, str] = field(default_factory=dict)

    def table(self, name: str) -> list[Row]:
        """Rows of a table; none of one that was not read."""
        return self.tables.get(name, [])

    def topic(self, name: str) -> list[Record]:
        """Records of a topic in the order in which a reader meets them within each partition."""
        return self.topics.get(name, [])

    def save(self, path: Path) -> None:
        """Write it down."""
        document = {
            "journal": self.journal,
            "tables": self.tables,
            "topics": {
                name: [[r.partition, r.offset, r.key, r.value, r.headers] for r in records]
                for name, records in self.topics.items()
            },
            "partitions": self.partitions,
            "ends": {name: sorted(ends.items()) for name, ends in self.ends.items()},
            "logs": self.logs,
        }
        path.write_bytes(gzip.compress(json.dumps(document, ensure_ascii=False).encode(), mtime=0))


def load(path: Path) -> Evidence:
    """Read what `Evidence.save` wrote."""
    document: Mapping[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return Evidence(
        journal=document["journal"],
        tables=document["tables"],
        topics={name: [Record(*each) for each in records] for name, records in document["topics"].items()},
        partitions=document["partitions"],
        ends={name: dict(map(tuple, ends)) for name, ends in document["ends"].items()},
        logs=document["logs"],
    )
