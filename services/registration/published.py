"""What registration publishes, and how each of its states is read back from the tables when a topic has lost some."""

from collections.abc import Collection, Sequence

from chassis.data.db import Transaction
from chassis.events.outbox import Emission
from chassis.events.published import Published, PublishedState, ids_of
from services.registration import events
from services.registration.use_cases import read_states


async def _premises(tx: Transaction) -> list[str]:
    return [str(each) for each in await read_states.premises_with_headcount(tx)]


async def _headcounts(tx: Transaction, keys: Collection[str], lock: bool) -> Sequence[Emission]:
    found = await read_states.headcounts(tx, ids_of(keys), lock=lock)
    return [events.occupancy(each.premises_id, each.headcount, each.version) for each in found]


async def _unit_ids(tx: Transaction) -> Collection[str]:
    return await read_states.unit_tree(tx)


async def _units(tx: Transaction, keys: Collection[str], lock: bool) -> Sequence[Emission]:
    tree = await read_states.unit_tree(tx, lock=lock)
    return [events.unit(unit, version) for key, (unit, version) in tree.items() if key in keys]


async def _days(tx: Transaction) -> list[str]:
    return [events.statistics_key(*each) for each in await read_states.counted_days(tx)]


async def _counts(tx: Transaction, keys: Collection[str], lock: bool) -> Sequence[Emission]:
    wanted = [parsed for key in keys if (parsed := events.parse_statistics_key(key)) is not None]
    return [events.statistics(each) for each in await read_states.counts(tx, wanted, lock=lock)]


PUBLISHED = Published(
    histories=events.HISTORIES,
    states=(
        PublishedState(*events.OCCUPANCY, _premises, _headcounts),
        PublishedState(*events.UNITS, _unit_ids, _units),
        PublishedState(*events.STATISTICS, _days, _counts),
    ),
)
