"""Waiting until a city is at rest: every event was sent, every record was read, and nothing followed from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.system import journal
from tests.waiting import until

Place = tuple[str, int]


@dataclass(frozen=True)
class Count:
    """What only grows: rows of the outboxes, how far relays and readers are, and where the logs end."""

    outboxes: Mapping[str, tuple[int, int, int, int]]
    readers: Mapping[tuple[str, str, int], int]
    ends: Mapping[Place, int]

    @property
    def unsent(self) -> list[str]:
        """Services with rows that Kafka has not acknowledged."""
        return [service for service, (_, bare, numbered, sent) in self.outboxes.items() if bare or sent < numbered]

    @property
    def unread(self) -> list[Place]:
        """Partitions that a reader has not read to their end."""
        return [
            (topic, number) for (_, topic, number), at in self.readers.items() if at != self.ends.get((topic, number))
        ]


async def until_at_rest(status: Mapping[str, Any], seconds: float) -> None:
    """Return once two countings in a row are the same and nothing is left over: between them the city was at rest."""
    seen: list[Count] = []

    async def rests() -> bool:
        seen.append(await _count(status))
        return not seen[-1].unsent and not seen[-1].unread and seen[-2:] == [seen[-1]] * 2

    try:
        await until(rests, seconds)
    except TimeoutError:
        left = seen[-1] if seen else None
        raise AssertionError(left and f"unsent: {left.unsent}, unread: {left.unread}") from None


async def _count(status: Mapping[str, Any]) -> Count:
    outboxes: dict[str, tuple[int, int, int, int]] = {}
    readers: dict[tuple[str, str, int], int] = {}
    for service in status["databases"]:
        async with journal.database(status, service) as connection:
            row = await connection.fetchrow(
                "SELECT (SELECT coalesce(max(id), 0) FROM outbox),"
                " (SELECT count(*) FROM outbox WHERE relay_number IS NULL), numbered, sent FROM relay_mark"
            )
            assert row is not None
            last, bare, numbered, sent = row
            outboxes[service] = last, bare, numbered, sent
            for each in await connection.fetch('SELECT "group", topic, partition, next_offset FROM consumer_positions'):
                readers[each["group"], each["topic"], each["partition"]] = each["next_offset"]
    ends = await journal.ends(status, {(topic, number) for _, topic, number in readers})
    return Count(outboxes, readers, ends)
