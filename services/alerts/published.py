"""What alerts publishes, and how each of its states is read back from the tables when a topic has lost some."""

from collections.abc import Collection, Sequence

from chassis.data.db import Transaction
from chassis.events.outbox import Emission
from chassis.events.published import Published, PublishedState
from services.alerts import events
from services.alerts.use_cases import read_states


async def _days(tx: Transaction) -> list[str]:
    return [events.statistics_key(*each) for each in await read_states.counted_days(tx)]


async def _counts(tx: Transaction, keys: Collection[str], lock: bool) -> Sequence[Emission]:
    wanted = [parsed for key in keys if (parsed := events.parse_statistics_key(key)) is not None]
    return [events.statistics(each) for each in await read_states.counts(tx, wanted, lock=lock)]


PUBLISHED = Published(histories=events.HISTORIES, states=(PublishedState(*events.STATISTICS, _days, _counts),))
