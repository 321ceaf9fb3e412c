"""What a service publishes: the names of its histories, and how each of its states is read from its tables."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.data.db import Transaction
from chassis.events.outbox import Emission


@dataclass(frozen=True, slots=True)
class PublishedState:
    """A state topic and the tables behind it.

    Args:
        type: CloudEvents type of its events.
        keys: every key that the topic must have.
        read: what each of these keys was last published as; a key that is not there is left out. With `lock` the
            entities are held until the transaction ends, as a use case holds them before it publishes a change.
    """

    topic: str
    type: str
    keys: Callable[[Transaction], Awaitable[Collection[str]]]
    read: Callable[[Transaction, Collection[str], bool], Awaitable[Sequence[Emission]]]


@dataclass(frozen=True, slots=True)
class Published:
    """All topics that one service writes."""

    histories: tuple[str, ...] = ()
    states: tuple[PublishedState, ...] = ()


def ids_of(keys: Collection[str]) -> list[UUID]:
    """Return the keys that are ids: a stranger's record in a topic may have any key."""
    ids = []
    for key in keys:
        try:
            ids.append(UUID(key))
        except ValueError:
            continue
    return ids
