"""Events of other services become work of this one: stays for the matcher, premises and units for its pages."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from chassis.data.db import Transaction
from chassis.events.histories import HistorySubscription
from chassis.events.records import BadRecord, Record, StateRecord
from chassis.events.states import StateSubscription
from chassis.run import tracing
from chassis.run.metrics import MATCH_EVENTS
from contracts import envelope, topics
from contracts.housing import PremisesV1
from contracts.registration import StayEventV1, UnitV1
from policy.packs import Packs
from services.alerts.domain.contents import Token
from services.alerts.domain.matching import LiveNotice, StayChange, StayEvent
from services.alerts.use_cases import queries
from services.alerts.use_cases.forget_places import forget_places
from services.alerts.use_cases.forget_units import forget_units
from services.alerts.use_cases.keep_place import Place, keep_place
from services.alerts.use_cases.keep_unit import Unit, keep_unit
from services.alerts.use_cases.match_stays import match_stays
from services.alerts.use_cases.refresh_watchlist import WatchlistKeeper

CHANGES = {
    envelope.PERSON_ARRIVED: StayChange.ARRIVED,
    envelope.PERSON_DEPARTED: StayChange.DEPARTED,
    envelope.STAY_CORRECTED: StayChange.CORRECTED,
    envelope.PERSON_PRESENT: StayChange.PRESENT,
}
# What each event of a stay has; only an event that can change something is read in full.
REQUIRED = frozenset({"stay_id", "premises_id", "division_code", "kind", "occurred_at", "recorded_at"})


class StayReader:
    """Reads `registration.stays` for the matcher."""

    def __init__(self, keeper: WatchlistKeeper, packs: Packs, district: str) -> None:
        self._keeper = keeper
        self._packs = packs
        self._district = district

    async def handle(self, tx: Transaction, records: Sequence[Record]) -> Sequence[tuple[Record, str]]:
        """Match a batch; return the records that are broken, each with its reason."""
        at = await self._keeper.share(tx)
        found, broken = sift(records, self._keeper.watchlist.by_value)
        MATCH_EVENTS.inc(len(records))
        if found:
            traceparent = next((record.traceparent for record, _event in found if record.traceparent), None)
            with tracing.span(topics.REGISTRATION_STAYS, traceparent=traceparent):
                stay_events = [event for _record, event in found]
                await match_stays(tx, stay_events, self._keeper.watchlist, self._packs, self._district, at)
        return broken

    async def handle_one(self, tx: Transaction, record: Record) -> None:
        """Match one record, a replayed dead letter. Raises BadRecord."""
        for _record, reason in await self.handle(tx, [record]):
            raise BadRecord(reason)

    def subscription(self) -> HistorySubscription:
        """The matcher's subscription."""
        return HistorySubscription(
            topic=topics.REGISTRATION_STAYS, group="alerts.stays", handle=self.handle, handle_one=self.handle_one
        )


def sift(
    records: Sequence[Record], by_value: Mapping[str, Sequence[LiveNotice]]
) -> tuple[list[tuple[Record, StayEvent]], list[tuple[Record, str]]]:
    """Pick the events that can change something: a token that a live notice has, and every correction.

    The hot path: one decoding and one look-up per event, and nothing of the rest is kept. Returns these events, and
    the records that are broken with their reasons.
    """
    found: list[tuple[Record, StayEvent]] = []
    broken: list[tuple[Record, str]] = []
    loads = orjson.loads
    for record in records:
        change = CHANGES.get(record.type)
        if change is None:
            broken.append((record, "unknown-type"))
            continue
        try:
            value = loads(record.value)
            if not (value.keys() >= REQUIRED):
                raise ValueError("a required field is missing")
            token = value.get("token")
            hit = token is not None and token["value"] in by_value
            if change is StayChange.CORRECTED or (hit and change is not StayChange.DEPARTED):
                found.append((record, _stay_event(change, record.value)))
        except (ValueError, TypeError, KeyError, AttributeError):
            # orjson's and pydantic's errors are ValueErrors; the others come from JSON of another shape.
            broken.append((record, "invalid-value"))
    return found, broken


def _stay_event(change: StayChange, value: bytes) -> StayEvent:
    """Read an event in full. Raises ValidationError."""
    event = StayEventV1.model_validate_json(value)
    return StayEvent(
        change=change,
        stay_id=event.stay_id,
        premises_id=event.premises_id,
        room=event.room,
        division_code=event.division_code,
        stay_kind=event.kind.value,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        ended_at=event.ended_at,
        token=Token(event.token.key_id, event.token.value) if event.token else None,
    )


async def apply_premises(tx: Transaction, records: Sequence[StateRecord]) -> None:
    """Keep premises for the pages. Raises BadRecord."""
    for record in records:
        if record.value is None:
            await forget_places(tx, [record.key])
            continue
        model = _parse(PremisesV1, record.value)
        place = Place(model.premises_id, model.kind.value, model.address, model.division_code)
        await keep_place(tx, place, record.version)


async def apply_units(tx: Transaction, records: Sequence[StateRecord]) -> None:
    """Keep units for the pages and for recipients. Raises BadRecord."""
    for record in records:
        if record.value is None:
            await forget_units(tx, [record.key])
            continue
        model = _parse(UnitV1, record.value)
        unit = Unit(model.unit_id, model.name.zh, model.name.en, model.kind, model.areas)
        await keep_unit(tx, unit, record.version)


def _parse(model: type[Any], value: bytes) -> Any:
    try:
        return model.model_validate_json(value)
    except ValidationError:
        raise BadRecord("invalid-value") from None


PREMISES = StateSubscription(
    topic=topics.HOUSING_PREMISES,
    group="alerts.premises",
    apply=apply_premises,
    keys=queries.known_places,
    drop=forget_places,
)
UNITS = StateSubscription(
    topic=topics.REGISTRATION_UNITS,
    group="alerts.units",
    apply=apply_units,
    keys=queries.known_units,
    drop=forget_units,
)
