"""Events of other services become work of this one: stays for the matcher, premises for the rules, units for pages."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from chassis.data.db import Transaction
from chassis.events.histories import HistorySubscription
from chassis.events.records import BadRecord, Record, Records, StateRecord, type_of
from chassis.events.states import StateSubscription
from chassis.run import tracing
from chassis.run.metrics import MATCH_EVENTS
from contracts import envelope, topics
from contracts.housing import PremisesV1
from contracts.registration import OccupancyV1, StayEventV1, UnitV1
from policy.packs import Packs
from services.alerts.domain.contents import Token
from services.alerts.domain.matching import LiveNotice, StayChange, StayEvent
from services.alerts.use_cases import queries
from services.alerts.use_cases.forget_places import forget_places
from services.alerts.use_cases.forget_units import forget_units
from services.alerts.use_cases.keep_dwellings import (
    Hazard,
    HeadcountTold,
    PremisesState,
    PremisesTold,
    keep_dwellings,
)
from services.alerts.use_cases.keep_place import Place, keep_place
from services.alerts.use_cases.keep_unit import Unit, keep_unit
from services.alerts.use_cases.match_stays import match_stays
from services.alerts.use_cases.refresh_watchlist import WatchlistKeeper

CHANGES = {
    envelope.PERSON_ARRIVED.encode(): StayChange.ARRIVED,
    envelope.PERSON_DEPARTED.encode(): StayChange.DEPARTED,
    envelope.STAY_CORRECTED.encode(): StayChange.CORRECTED,
    envelope.PERSON_PRESENT.encode(): StayChange.PRESENT,
}
# By the whole header, as it stands where the relay writes it: a call for each event is dearer than the look-up.
CHANGES_BY_HEADER = {(envelope.HEADER_TYPE, type_): change for type_, change in CHANGES.items()}
# What each event of a stay has; only an event that can change something is read in full. Raises KeyError, and takes
# half as long as to compare the keys.
required = itemgetter("stay_id", "premises_id", "division_code", "kind", "occurred_at", "recorded_at")
# Nearly all events match nothing: a batch of so many takes 10 ms, of which its transaction is a tenth.
MOST_STAYS = 5_000


class StayReader:
    """Reads `registration.stays` for the matcher."""

    def __init__(self, keeper: WatchlistKeeper, packs: Packs, district: str) -> None:
        self._keeper = keeper
        self._packs = packs
        self._district = district

    async def handle(self, tx: Transaction, records: Sequence[Record]) -> Sequence[tuple[Record, str]]:
        """Match a batch; return the records that are broken, each with its reason."""
        at = await self._keeper.share(tx)
        found, broken = sift(Records.of(records), self._keeper.watchlist.by_value)
        MATCH_EVENTS.inc(len(records))
        if found:
            traceparent = next((record.traceparent for record, _event in found if record.traceparent), None)
            with tracing.span(f"receive {topics.REGISTRATION_STAYS}", traceparent, "consumer"):
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
            topic=topics.REGISTRATION_STAYS,
            group="alerts.stays",
            handle=self.handle,
            handle_one=self.handle_one,
            most_records=MOST_STAYS,
        )


def sift(
    records: Records, by_value: Mapping[str, Sequence[LiveNotice]]
) -> tuple[list[tuple[Record, StayEvent]], list[tuple[Record, str]]]:
    """Pick the events that can change something: a token that a live notice has, and every correction.

    The hot path: one decoding and one look-up per event, and nothing of the rest is kept. Returns these events, and
    the records that are broken with their reasons.
    """
    found: list[tuple[Record, StayEvent]] = []
    broken: list[tuple[Record, str]] = []
    loads, departed, corrected = orjson.loads, StayChange.DEPARTED, StayChange.CORRECTED
    second = CHANGES_BY_HEADER.get
    for index, raw in enumerate(records.raws):
        headers = raw.headers
        change = (second(headers[1]) if len(headers) > 1 else None) or CHANGES.get(type_of(raw))
        if change is None:
            broken.append((records[index], "unknown-type"))
            continue
        try:
            value = loads(raw.value or b"")
            required(value)
            token = value.get("token")
            hit = token is not None and token["value"] in by_value
            if change is corrected or (hit and change is not departed):
                found.append((records[index], _stay_event(change, raw.value or b"")))
        except (ValueError, TypeError, KeyError, AttributeError):
            # orjson's and pydantic's errors are ValueErrors; the others come from JSON of another shape.
            broken.append((records[index], "invalid-value"))
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


class DwellingReader:
    """Reads `housing.premises` and `registration.occupancy` for the rules, and premises for the pages too."""

    def __init__(self, packs: Packs, district: str) -> None:
        self._packs = packs
        self._district = district

    async def apply_premises(self, tx: Transaction, records: Sequence[StateRecord]) -> None:
        """Keep premises and judge the rules over them. Raises BadRecord."""
        models = [(record, _parse(PremisesV1, record.value) if record.value else None) for record in records]
        told: list[PremisesTold | HeadcountTold] = []
        for record, model in models:
            if model is None:
                told += [PremisesTold(premises_id, None) for premises_id in _ids([record.key])]
                continue
            told.append(PremisesTold(model.premises_id, _premises_state(model), record.version))
            place = Place(model.premises_id, model.kind.value, model.address, model.division_code)
            await keep_place(tx, place, record.version)
        await keep_dwellings(tx, told, self._packs, self._district)
        await forget_places(tx, [record.key for record, model in models if model is None])

    async def drop_premises(self, tx: Transaction, keys: Collection[str]) -> None:
        """Forget premises that housing publishes no more; what rules said of them has ended."""
        told = [PremisesTold(premises_id, None) for premises_id in _ids(keys)]
        await keep_dwellings(tx, told, self._packs, self._district)
        await forget_places(tx, keys)

    async def apply_occupancy(self, tx: Transaction, records: Sequence[StateRecord]) -> None:
        """Keep headcounts and judge the rules over their premises. Raises BadRecord."""
        told: list[HeadcountTold] = []
        for record in records:
            if record.value is None:
                told += [HeadcountTold(premises_id, None) for premises_id in _ids([record.key])]
                continue
            model = _parse(OccupancyV1, record.value)
            told.append(HeadcountTold(model.premises_id, model.headcount, record.version))
        await keep_dwellings(tx, told, self._packs, self._district)

    async def drop_occupancy(self, tx: Transaction, keys: Collection[str]) -> None:
        """Forget headcounts that registration publishes no more."""
        told = [HeadcountTold(premises_id, None) for premises_id in _ids(keys)]
        await keep_dwellings(tx, told, self._packs, self._district)

    def subscriptions(self) -> Sequence[StateSubscription]:
        """Both sides' subscriptions."""
        return (
            StateSubscription(
                topic=topics.HOUSING_PREMISES,
                group="alerts.premises",
                apply=self.apply_premises,
                keys=queries.known_places,
                drop=self.drop_premises,
            ),
            StateSubscription(
                topic=topics.REGISTRATION_OCCUPANCY,
                group="alerts.occupancy",
                apply=self.apply_occupancy,
                keys=queries.known_headcounts,
                drop=self.drop_occupancy,
            ),
        )


def _premises_state(model: PremisesV1) -> PremisesState:
    return PremisesState(
        status=model.status.value,
        capacity=model.capacity,
        one_household=model.one_household,
        hazards=tuple(Hazard(each.item, each.severity.value, each.found_at) for each in model.open_hazards),
        latitude=model.latitude,
        longitude=model.longitude,
    )


def _ids(keys: Collection[str]) -> list[UUID]:
    """The ids among keys: a key that is no id at all is nobody's, and no reason to stop."""
    found = []
    for key in keys:
        with suppress(ValueError):
            found.append(UUID(key))
    return found


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


UNITS = StateSubscription(
    topic=topics.REGISTRATION_UNITS,
    group="alerts.units",
    apply=apply_units,
    keys=queries.known_units,
    drop=forget_units,
)
