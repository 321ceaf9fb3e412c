"""Registration's events: what other services are told, and that no person is in it."""

from datetime import datetime
from uuid import UUID

from chassis.events.outbox import Emission
from contracts import envelope, topics
from contracts import statistics as contract
from contracts.housing import PremisesKind
from contracts.registration import (
    MatchingTokenV1,
    OccupancyV1,
    PersonArrivedV1,
    PersonDepartedV1,
    PersonPresentV1,
    PremisesStubbedV1,
    RegistrationStatisticsV1,
    StayCorrectedV1,
    StayEventV1,
    StayKind,
    TimelinessV1,
    UnitNameV1,
    UnitV1,
)
from services.registration.domain.premises import Premises
from services.registration.domain.statistics import DayCounts
from services.registration.domain.stays import MatchingTokens, StayFacts
from services.registration.domain.tokens import Token
from services.registration.domain.units import Unit

HISTORIES = (topics.REGISTRATION_STAYS, topics.REGISTRATION_STUBS, topics.REGISTRATION_DEPARTMENT_EDUCATION)
OCCUPANCY = (topics.REGISTRATION_OCCUPANCY, envelope.OCCUPANCY)
UNITS = (topics.REGISTRATION_UNITS, envelope.UNIT)
STATISTICS = (topics.REGISTRATION_STATISTICS, envelope.REGISTRATION_STATISTICS)
statistics_key, parse_statistics_key = contract.key, contract.parse_key


def person_arrived(facts: StayFacts, tokens: MatchingTokens, recorded_at: datetime) -> Emission:
    """Somebody was registered."""
    return _stay_event(envelope.PERSON_ARRIVED, PersonArrivedV1, facts, tokens, facts.arrived_at, recorded_at)


def person_departed(facts: StayFacts, tokens: MatchingTokens, recorded_at: datetime) -> Emission:
    """A stay ended."""
    occurred_at = facts.departed_at or recorded_at
    return _stay_event(envelope.PERSON_DEPARTED, PersonDepartedV1, facts, tokens, occurred_at, recorded_at)


def stay_corrected(facts: StayFacts, tokens: MatchingTokens, recorded_at: datetime) -> Emission:
    """A stay was recorded wrongly; it carries the stay as it is now, an ended one its end."""
    return _stay_event(envelope.STAY_CORRECTED, StayCorrectedV1, facts, tokens, facts.arrived_at, recorded_at)


def person_present(facts: StayFacts, tokens: MatchingTokens, recorded_at: datetime) -> Emission:
    """The answer to a notice that became active: this stay is open now."""
    return _stay_event(envelope.PERSON_PRESENT, PersonPresentV1, facts, tokens, facts.arrived_at, recorded_at)


def occupancy(premises_id: UUID, headcount: int, version: int) -> Emission:
    """How many people are registered at premises now."""
    return Emission(
        topic=topics.REGISTRATION_OCCUPANCY,
        key=str(premises_id),
        type=envelope.OCCUPANCY,
        model=OccupancyV1(premises_id=premises_id, headcount=headcount),
        kind="state",
        version=version,
    )


def premises_stubbed(stub: Premises, stubbed_at: datetime) -> Emission:
    """Premises that nobody had entered yet are used: housing completes them."""
    event = PremisesStubbedV1(
        premises_id=stub.premises_id,
        kind=PremisesKind(stub.kind),
        address=stub.address,
        division_code=stub.division_code,
        stubbed_at=stubbed_at,
    )
    return Emission(
        topic=topics.REGISTRATION_STUBS,
        key=str(stub.premises_id),
        type=envelope.PREMISES_STUBBED,
        model=event,
        kind="history",
    )


def statistics(counts: DayCounts) -> Emission:
    """The counts of one kind in one division on one day, as known now."""
    return Emission(
        topic=topics.REGISTRATION_STATISTICS,
        key=contract.key(counts.day, counts.division_code, counts.kind),
        type=envelope.REGISTRATION_STATISTICS,
        model=RegistrationStatisticsV1(
            day=counts.day,
            division_code=counts.division_code,
            kind=StayKind(counts.kind),
            registered=counts.registered,
            arrivals=counts.arrivals,
            departures=counts.departures,
            timeliness=TimelinessV1(on_time=counts.arrivals - counts.late, late=counts.late),
        ),
        kind="state",
        version=counts.version,
    )


def unit(changed: Unit, version: int) -> Emission:
    """A unit as it is now."""
    model = UnitV1(
        unit_id=changed.unit_id,
        name=UnitNameV1(zh=changed.name_zh, en=changed.name_en),
        kind=changed.kind,
        parent=changed.parent,
        areas=changed.areas,
        roles=changed.roles,
    )
    return _unit_state(changed.unit_id, model, version)


def unit_gone(unit_id: str) -> Emission:
    """A unit is no more."""
    return _unit_state(unit_id, None, None)


def _unit_state(unit_id: str, model: UnitV1 | None, version: int | None) -> Emission:
    return Emission(
        topic=topics.REGISTRATION_UNITS, key=unit_id, type=envelope.UNIT, model=model, kind="state", version=version
    )


def _stay_event(
    type_: str,
    model: type[StayEventV1],
    facts: StayFacts,
    tokens: MatchingTokens,
    occurred_at: datetime,
    recorded_at: datetime,
) -> Emission:
    event = model(
        stay_id=facts.stay_id,
        premises_id=facts.premises_id,
        room=facts.room,
        division_code=facts.division_code,
        kind=StayKind(facts.kind),
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        ended_at=facts.departed_at,
        token=_token(tokens.token),
        expiry_token=_token(tokens.expiry_token),
    )
    return Emission(topic=topics.REGISTRATION_STAYS, key=str(facts.stay_id), type=type_, model=event, kind="history")


def _token(token: Token | None) -> MatchingTokenV1 | None:
    return MatchingTokenV1(key_id=token.key_id, value=token.value) if token else None
