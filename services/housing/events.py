"""What housing publishes: from a domain object to an event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.events.outbox import Emission
from contracts import envelope, topics
from contracts import statistics as contract
from contracts.housing import (
    BySeverityV1,
    EntryBasis,
    HazardClearedV1,
    HazardFoundV1,
    HazardSeverity,
    HousingStatisticsV1,
    InspectionCountsV1,
    InspectionDoneV1,
    InspectionOutcome,
    LetterSignedV1,
    OpenHazardV1,
    PremisesClosedV1,
    PremisesEventV1,
    PremisesKind,
    PremisesRegisteredV1,
    PremisesReopenedV1,
    PremisesStatus,
    PremisesV1,
    RoomType,
    RoomV1,
)
from services.housing.domain.hazards import Hazard
from services.housing.domain.inspections import Inspection
from services.housing.domain.letters import Letter
from services.housing.domain.premises import Premises
from services.housing.domain.statistics import DayCounts

HISTORIES = (topics.HOUSING_INSPECTIONS,)
PREMISES = (topics.HOUSING_PREMISES, envelope.PREMISES)
STATISTICS = (topics.HOUSING_STATISTICS, envelope.HOUSING_STATISTICS)
statistics_key, parse_statistics_key = contract.key, contract.parse_key


def premises_changed(premises: Premises) -> Emission:
    """Return the whole present state of premises: no name and no phone, since an operator may be a natural person."""
    worst = premises.worst_open_hazard
    return Emission(
        topic=topics.HOUSING_PREMISES,
        key=str(premises.premises_id),
        type=envelope.PREMISES,
        kind="state",
        version=premises.version,
        model=PremisesV1(
            premises_id=premises.premises_id,
            kind=PremisesKind(premises.kind),
            status=PremisesStatus(premises.status),
            address=premises.address,
            division_code=premises.division_code,
            latitude=premises.latitude,
            longitude=premises.longitude,
            rooms=tuple(
                RoomV1(number=room.number, type=RoomType(room.type), area_m2=room.area_m2, capacity=room.capacity)
                for room in premises.rooms
            ),
            capacity=premises.capacity,
            one_household=premises.one_household,
            operator_unit=premises.operator_unit,
            letter_signed=premises.letter_signed,
            worst_open_hazard=worst,
            open_hazards=tuple(
                OpenHazardV1(
                    hazard_id=hazard.hazard_id,
                    item=hazard.item,
                    severity=HazardSeverity(hazard.severity),
                    found_at=hazard.found_at,
                )
                for hazard in premises.open_hazards
            ),
        ),
    )


def premises_registered(premises: Premises) -> Emission:
    """Return that premises were entered in full."""
    model = PremisesRegisteredV1(**_place(premises), registered_at=premises.registered_at)
    return _happened(premises, envelope.PREMISES_REGISTERED, model)


def premises_closed(premises: Premises, at: datetime) -> Emission:
    """Return that premises were closed."""
    return _happened(premises, envelope.PREMISES_CLOSED, PremisesClosedV1(**_place(premises), closed_at=at))


def premises_reopened(premises: Premises, at: datetime) -> Emission:
    """Return that premises may be lived in again."""
    return _happened(premises, envelope.PREMISES_REOPENED, PremisesReopenedV1(**_place(premises), reopened_at=at))


def letter_signed(premises: Premises, letter: Letter) -> Emission:
    """Return that the letter was signed: which text, not who."""
    model = LetterSignedV1(
        **_place(premises),
        letter_version=letter.version,
        text_sha256=letter.text_sha256,
        signed_at=letter.signed_at,
    )
    return _happened(premises, envelope.LETTER_SIGNED, model)


def inspection_done(premises: Premises, done: Inspection) -> Emission:
    """Return that premises were visited; `premises` are as the visit left them."""
    model = InspectionDoneV1(
        **_place(premises),
        inspection_id=done.inspection_id,
        outcome=InspectionOutcome(done.outcome),
        entry_basis=EntryBasis(done.entry_basis),
        checklist_version=done.checklist_version,
        inspected_at=done.inspected_at,
        recorded_at=done.recorded_at,
        open_hazards=len(premises.open_hazards),
    )
    return _happened(premises, envelope.INSPECTION_DONE, model)


def hazard_found(premises: Premises, hazard: Hazard) -> Emission:
    """Return that a hazard is new."""
    model = HazardFoundV1(**_place(premises), **_hazard(hazard), found_at=hazard.found_at)
    return _happened(premises, envelope.HAZARD_FOUND, model)


def hazard_cleared(premises: Premises, hazard: Hazard) -> Emission:
    """Return that a hazard is no more."""
    assert hazard.cleared_at is not None
    model = HazardClearedV1(**_place(premises), **_hazard(hazard), cleared_at=hazard.cleared_at)
    return _happened(premises, envelope.HAZARD_CLEARED, model)


def _happened(premises: Premises, type_: str, model: PremisesEventV1) -> Emission:
    return Emission(
        topic=topics.HOUSING_INSPECTIONS, key=str(premises.premises_id), type=type_, kind="history", model=model
    )


def _place(premises: Premises) -> dict[str, Any]:
    return {
        "premises_id": premises.premises_id,
        "division_code": premises.division_code,
        "kind": PremisesKind(premises.kind),
    }


def _hazard(hazard: Hazard) -> dict[str, Any]:
    return {"hazard_id": hazard.hazard_id, "item": hazard.item, "severity": HazardSeverity(hazard.severity)}


def statistics(counts: DayCounts) -> Emission:
    """The counts of one kind in one division on one day, as known now."""
    its = counts.counts
    outcomes = ("done", "nobody_home", "refused")
    model = HousingStatisticsV1(
        day=counts.day,
        division_code=counts.division_code,
        kind=PremisesKind(counts.kind),
        premises_open=its["premises_open"],
        premises_closed=its["premises_closed"],
        inspections=InspectionCountsV1(**{each: its[f"inspections_{each}"] for each in outcomes}),
        hazards_found=_by_severity(its, "hazards_found"),
        hazards_cleared=_by_severity(its, "hazards_cleared"),
        hazards_open=_by_severity(its, "hazards_open"),
        clear_seconds=_by_severity(its, "clear_seconds"),
    )
    return Emission(
        topic=topics.HOUSING_STATISTICS,
        key=contract.key(counts.day, counts.division_code, counts.kind),
        type=envelope.HOUSING_STATISTICS,
        model=model,
        kind="state",
        version=counts.version,
    )


def _by_severity(counts: Mapping[str, int], what: str) -> BySeverityV1:
    return BySeverityV1(**{each.value: counts[f"{what}_{each.value}"] for each in HazardSeverity})
