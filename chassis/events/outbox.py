"""The outbox: what a use case publishes, and its rows in the transaction of the effects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from pydantic import BaseModel
from uuid_utils.compat import uuid7

from chassis.events.tables import outbox, outbox_epoch
from chassis.run import tracing

if TYPE_CHECKING:
    from chassis.data.db import Transaction

# Kafka's own limit for a batch is 1 MiB; what is left is for key, headers and the batch's frame.
MAX_VALUE_BYTES = 900 * 1024


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
    _json: bytes | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.model is None and self.kind == "history":
            raise ValueError("only a state can end with a tombstone")
        if self.kind == "state" and self.model is not None and self.version is None:
            raise ValueError("a state needs its entity's version")
        encoded = None if self.model is None else self.model.model_dump_json(exclude_none=True).encode()
        object.__setattr__(self, "_json", encoded)
        if len(encoded or b"") > MAX_VALUE_BYTES:
            raise RecordTooLarge(f"an event of type {self.type} has more than {MAX_VALUE_BYTES} bytes")

    def value(self, epoch: int) -> bytes | None:
        """Return the record's value under `epoch`: compact JSON, without what is None."""
        if self._json is None or self.kind == "history":
            return self._json
        return orjson.dumps({**orjson.loads(self._json), "version": f"{epoch}.{self.version}"})


async def write(tx: "Transaction", emissions: Sequence[Emission]) -> None:
    """Insert outbox rows in the order given. The transaction does it last, so that their order is that of states."""
    epoch = 0
    if any(emission.kind == "state" for emission in emissions):
        epoch = await tx.scalar(sa.select(outbox_epoch.c.epoch))
    with tracing.span("outbox"):
        await _insert(tx, emissions, epoch, tracing.current_traceparent())


async def _insert(tx: "Transaction", emissions: Sequence[Emission], epoch: int, traceparent: str | None) -> None:
    rows = [
        {
            "event_id": emission.event_id,
            "topic": emission.topic,
            "key": emission.key,
            "type": emission.type,
            "kind": emission.kind,
            "value": emission.value(epoch),
            "traceparent": traceparent,
        }
        for emission in emissions
    ]
    # Many parameter sets instead of many VALUES, which SQLAlchemy would compile anew each time; their order is kept.
    await tx.execute(sa.insert(outbox), rows)
