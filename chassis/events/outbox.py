"""The outbox: what a use case publishes, and its rows in the transaction of the effects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from pydantic import BaseModel
from uuid_utils.compat import uuid7

from chassis.data.prepared import Prepared
from chassis.run import tracing

if TYPE_CHECKING:
    from chassis.data.db import Transaction

# Kafka's own limit for a batch is 1 MiB; what is left is for key, headers and the batch's frame.
MAX_VALUE_BYTES = 900 * 1024

# Reads the epoch and writes all rows at once. Their ids are given after they are put in order.
_WRITE = Prepared(
    sa.text("""
        INSERT INTO outbox (event_id, topic, key, type, kind, value, traceparent)
        SELECT e.event_id, e.topic, e.key, e.type, e.kind,
            CASE e.after WHEN '' THEN e.before ELSE e.before || convert_to(CAST(epoch AS text), 'UTF8') || e.after END,
            CAST(:traceparent AS text)
        FROM outbox_epoch, unnest(
            CAST(:event_ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:types AS text[]),
            CAST(:kinds AS text[]), CAST(:befores AS bytea[]), CAST(:afters AS bytea[])
        ) WITH ORDINALITY AS e (event_id, topic, key, type, kind, before, after, number)
        ORDER BY e.number
        RETURNING id
    """)
)


class RecordTooLarge(Exception):
    """An event is larger than Kafka would take. Refused here: a record that Kafka refuses would stop the relay."""


@dataclass(frozen=True, slots=True)
class Emission:
    """One event to publish.

    Args:
        topic: owned by this service.
        key: events of one key keep their order.
        type: CloudEvents type, such as `anju.registration.person-arrived.v1`.
        model: the event; None ends a state (a tombstone).
        kind: of the topic.
        version: of a state: the entity's version number, which grows with each change. The value's field `version`
            becomes `epoch.version` when the row is written.

    Raises:
        RecordTooLarge: the value has more than 900 KiB.
        ValueError: a history's event without a model, or a state without a version.
    """

    topic: str
    key: str
    type: str
    model: BaseModel | None
    kind: Literal["history", "state"]
    event_id: UUID = field(default_factory=uuid7)
    version: int | None = None
    # Of a state what stands before the epoch, and what stands after it; else all of it, and nothing.
    _before: bytes | None = field(init=False, repr=False)
    _after: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.model is None and self.kind == "history":
            raise ValueError("only a state can end with a tombstone")
        if self.kind == "state" and self.model is not None and self.version is None:
            raise ValueError("a state needs its entity's version")
        encoded = None if self.model is None else self.model.model_dump_json(exclude_none=True).encode()
        before, after = encoded, b""
        if encoded is not None and self.kind == "state":
            before = orjson.dumps({**orjson.loads(encoded), "version": ""}).removesuffix(b'"}')
            after = f'.{self.version}"}}'.encode()
        object.__setattr__(self, "_before", before)
        object.__setattr__(self, "_after", after)
        if len(encoded or b"") > MAX_VALUE_BYTES:
            raise RecordTooLarge(f"an event of type {self.type} has more than {MAX_VALUE_BYTES} bytes")

    def value(self, epoch: int) -> bytes | None:
        """Return the record's value under `epoch`: compact JSON, without what is None."""
        if self._before is None or not self._after:
            return self._before
        return self._before + str(epoch).encode() + self._after


async def write(tx: "Transaction", emissions: Sequence[Emission]) -> None:
    """Insert outbox rows in the order given. The transaction does it last, so that their order is that of states."""
    with tracing.span("outbox"):
        written = await tx.fetch(
            _WRITE,
            {
                "event_ids": [each.event_id for each in emissions],
                "topics": [each.topic for each in emissions],
                "keys": [each.key for each in emissions],
                "types": [each.type for each in emissions],
                "kinds": [each.kind for each in emissions],
                "befores": [each._before for each in emissions],
                "afters": [each._after for each in emissions],
                "traceparent": tracing.current_traceparent(),
            },
        )
    if len(written) != len(emissions):
        raise RuntimeError("the outbox has no epoch")
