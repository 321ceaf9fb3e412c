"""What housing takes from registration: headcounts, units, and the stubs that clerks enter."""

from collections.abc import Collection, Sequence
from uuid import UUID

from pydantic import ValidationError

from chassis.data.db import Transaction
from chassis.events.histories import HistorySubscription, each
from chassis.events.records import BadRecord, Record, StateRecord
from chassis.events.states import StateSubscription
from contracts import envelope, topics
from contracts.registration import OccupancyV1, PremisesStubbedV1, UnitV1
from services.housing.domain.headcounts import Headcount
from services.housing.domain.premises import stub
from services.housing.domain.units import Unit
from services.housing.use_cases import queries
from services.housing.use_cases.keep_headcounts import keep_headcounts
from services.housing.use_cases.keep_stub import keep_stub
from services.housing.use_cases.keep_units import keep_units


def read_headcount(record: StateRecord) -> Headcount:
    """Return what an occupancy record says. Raises BadRecord."""
    try:
        state = OccupancyV1.model_validate_json(record.value or b"")
    except ValidationError:
        raise BadRecord("invalid-value") from None
    return Headcount(state.premises_id, state.headcount, record.version)


def read_unit(record: StateRecord) -> tuple[Unit, tuple[int, int]]:
    """Return the unit of a record, and its version. Raises BadRecord."""
    try:
        state = UnitV1.model_validate_json(record.value or b"")
    except ValidationError:
        raise BadRecord("invalid-value") from None
    unit = Unit(state.unit_id, state.name.zh, state.name.en, state.kind, state.parent, state.areas)
    return unit, record.version


def _premises_id(key: str) -> UUID:
    try:
        return UUID(key)
    except ValueError:
        raise BadRecord("unreadable-key") from None


def _split(records: Sequence[StateRecord]) -> tuple[list[StateRecord], list[str]]:
    """Return what is there now, and the keys of what ended."""
    return [record for record in records if record.value is not None], [
        record.key for record in records if record.value is None
    ]


async def apply_headcounts(tx: Transaction, records: Sequence[StateRecord]) -> None:
    """Keep the headcounts of a batch."""
    present, ended = _split(records)
    await keep_headcounts(tx, [read_headcount(record) for record in present], [_premises_id(key) for key in ended])


async def apply_units(tx: Transaction, records: Sequence[StateRecord]) -> None:
    """Keep the units of a batch."""
    present, ended = _split(records)
    await keep_units(tx, [read_unit(record) for record in present], ended)


async def drop_headcounts(tx: Transaction, keys: Collection[str]) -> None:
    """Forget the headcounts that the topic no longer has."""
    await keep_headcounts(tx, [], [UUID(key) for key in keys])


async def drop_units(tx: Transaction, keys: Collection[str]) -> None:
    """Forget the units that the topic no longer has."""
    await keep_units(tx, [], keys)


async def take_stub(tx: Transaction, record: Record) -> None:
    """Keep one stub. Raises BadRecord and ValidationError."""
    if record.type != envelope.PREMISES_STUBBED:
        raise BadRecord("unknown-type")
    new = PremisesStubbedV1.model_validate_json(record.value)
    await keep_stub(tx, stub(new.premises_id, new.kind.value, new.address, new.division_code, new.stubbed_at))


SUBSCRIPTIONS = (
    HistorySubscription(
        topic=topics.REGISTRATION_STUBS, group="housing.stubs", handle=each(take_stub), handle_one=take_stub
    ),
    StateSubscription(
        topic=topics.REGISTRATION_OCCUPANCY,
        group="housing.headcounts",
        apply=apply_headcounts,
        keys=queries.headcount_keys,
        drop=drop_headcounts,
    ),
    StateSubscription(
        topic=topics.REGISTRATION_UNITS,
        group="housing.units",
        apply=apply_units,
        keys=queries.unit_keys,
        drop=drop_units,
    ),
)
