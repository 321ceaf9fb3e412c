"""What reporting listens to: the statistics that the other services publish, and the counts in them."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from pydantic import ValidationError

from chassis.data.db import Transaction
from chassis.events.records import BadRecord, StateRecord
from chassis.events.states import StateSubscription
from contracts import statistics, topics
from contracts.alerts import AlertsStatisticsV1
from contracts.housing import HousingStatisticsV1
from contracts.registration import RegistrationStatisticsV1
from services.reporting.domain.read_models import Counted, Owner
from services.reporting.use_cases import queries
from services.reporting.use_cases.follow_counts import follow_counts
from services.reporting.use_cases.forget_counts import forget_counts


class Source(NamedTuple):
    """A topic, and the model of its records."""

    topic: str
    model: type[statistics.Statistics]


SOURCES = {
    Owner.REGISTRATION: Source(topics.REGISTRATION_STATISTICS, RegistrationStatisticsV1),
    Owner.HOUSING: Source(topics.HOUSING_STATISTICS, HousingStatisticsV1),
    Owner.ALERTS: Source(topics.ALERTS_STATISTICS, AlertsStatisticsV1),
}
HEAD = frozenset({"day", "division_code", "kind", "version"})


def read(owner: Owner, record: StateRecord) -> Counted:
    """Return the counts of a record. Raises BadRecord."""
    try:
        state = SOURCES[owner].model.model_validate_json(record.value or b"")
    except ValidationError:
        raise BadRecord("invalid-value") from None
    counts: dict[str, int] = {}
    for name, value in state.model_dump(mode="json").items():
        if name in HEAD:
            continue
        if not isinstance(value, dict):
            counts[name] = value
        else:
            # Timeliness has names of its own; counts by severity and by outcome are told apart by what they count.
            prefix = "" if name == "timeliness" else f"{name}_"
            counts |= {f"{prefix}{part}": count for part, count in value.items()}
    kind = state.model_dump(mode="json")["kind"]
    return Counted(state.day, state.division_code, kind, counts, record.version)


def _key(key: str) -> tuple[date, str, str]:
    try:
        day, division, kind = key.split("/")
        return date.fromisoformat(day), division, kind
    except ValueError:
        raise BadRecord("unreadable-key") from None


def subscription(owner: Owner) -> StateSubscription:
    """Return how one owner's counts are kept."""

    async def apply(tx: Transaction, records: Sequence[StateRecord]) -> None:
        await follow_counts(tx, owner, [read(owner, each) for each in records if each.value is not None])
        await drop(tx, [each.key for each in records if each.value is None])

    async def keys(tx: Transaction) -> set[str]:
        return {statistics.key(*each) for each in await queries.known_counts(tx, owner)}

    async def drop(tx: Transaction, gone: Collection[str]) -> None:
        await forget_counts(tx, owner, [_key(each) for each in gone])

    return StateSubscription(
        topic=SOURCES[owner].topic, group=f"reporting.{owner.value}", apply=apply, keys=keys, drop=drop
    )


def subscriptions() -> list[StateSubscription]:
    """Return what the worker subscribes to."""
    return [subscription(owner) for owner in Owner]
