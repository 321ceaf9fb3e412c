"""What inspections, statistics and the fire department's feed may carry, and what never stands in them."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from contracts import alerts, envelope, housing, registration, statistics
from contracts.check import Contracts
from contracts.fields import of_field
from contracts.lint import of_models

DAY = date(2026, 11, 24)
STATISTICS: tuple[type[statistics.Statistics], ...] = (
    registration.RegistrationStatisticsV1,
    housing.HousingStatisticsV1,
    alerts.AlertsStatisticsV1,
)
INSPECTIONS = (
    housing.PremisesRegisteredV1,
    housing.PremisesClosedV1,
    housing.PremisesReopenedV1,
    housing.LetterSignedV1,
    housing.InspectionDoneV1,
    housing.HazardFoundV1,
    housing.HazardClearedV1,
)


def example(type_: str, **changes: Any) -> Any:
    """The first example of a type, changed."""
    model = envelope.TYPES[type_]
    first = model.model_validate_json(Contracts().examples(type_)[0].read_text(encoding="utf-8"))
    return model.model_validate({**dict(first), **changes})


def fields_of(model: type[BaseModel]) -> dict[str, Any]:
    return {f"{found.owner}.{found.name}": found for found in of_models("event", [model])}


@pytest.mark.parametrize("model", STATISTICS)
def test_statistics_are_counts_of_a_day_division_and_kind_and_name_nothing_else(
    model: type[statistics.Statistics],
) -> None:
    assert {"day", "division_code", "kind", "version"} <= set(model.model_fields)
    for found in of_models("event", [model]):
        assert not found.name.endswith(("_id", "address", "room", "token"))
        assert found.tags is not None
        if found.name != "version":
            assert found.tags.purpose == ("statistics",)
            assert found.tags.retention == "statistics"
    for name, info in model.model_fields.items():
        if name not in {"day", "division_code", "kind", "version"}:
            assert info.annotation is int or issubclass(info.annotation, BaseModel)  # type: ignore[arg-type]


def test_the_key_of_statistics_is_day_division_and_kind() -> None:
    assert statistics.key(DAY, "330199001", registration.StayKind.TENANT) == "2026-11-24/330199001/tenant"


@pytest.mark.parametrize("changes", [{"day": datetime(2026, 11, 24, tzinfo=UTC)}, {"day": "2026-11-24"}])
def test_a_day_is_a_date(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        example(envelope.REGISTRATION_STATISTICS, **changes)


def test_an_arrival_is_on_time_or_late_and_nothing_third() -> None:
    with pytest.raises(ValidationError, match="on time and late together"):
        example(envelope.REGISTRATION_STATISTICS, arrivals=15)
    with pytest.raises(ValidationError):
        example(envelope.REGISTRATION_STATISTICS, registered=-1)


@pytest.mark.parametrize("kind", ["wanted", "missing_person", "lost_document", "protection_order", "family_tracing"])
def test_alerts_of_notices_are_counted_as_one_kind(kind: str) -> None:
    with pytest.raises(ValidationError, match="counted together"):
        example(envelope.ALERTS_STATISTICS, kind=kind)


@pytest.mark.parametrize("kind", ["notice", "unsafe_dwelling", "overcrowded", "a_rule_of_tomorrow"])
def test_a_new_rule_is_counted_without_a_new_version(kind: str) -> None:
    assert example(envelope.ALERTS_STATISTICS, kind=kind).kind == kind


@pytest.mark.parametrize("model", INSPECTIONS)
def test_events_of_premises_tell_of_the_place_alone(model: type[BaseModel]) -> None:
    for info in model.model_fields.values():
        tags = of_field(info)
        assert tags is not None
        assert (tags.class_, tags.retention) == ("none", "topic_7_days")
    # Ids, codes, moments and counts; a letter's version and a hash are the only texts, and both are short.
    texts = {name for name, info in model.model_fields.items() if str in (info.annotation, *get_args(info.annotation))}
    assert texts <= {"division_code", "item", "checklist_version", "letter_version", "text_sha256"}


@pytest.mark.parametrize(
    ("type_", "changes"),
    [
        (envelope.LETTER_SIGNED, {"text_sha256": "某某某"}),
        (envelope.HAZARD_FOUND, {"item": "有人住在厨房"}),
        (envelope.HAZARD_FOUND, {"severity": "urgent"}),
        (envelope.INSPECTION_DONE, {"outcome": "vacant"}),
        (envelope.INSPECTION_DONE, {"entry_basis": "habit"}),
        (envelope.INSPECTION_DONE, {"open_hazards": -1}),
        (envelope.PREMISES_STUBBED, {"address": ""}),
        (envelope.PREMISES_STUBBED, {"kind": "castle"}),
        (envelope.IMMINENT_HAZARD_OCCUPIED, {"headcount": -1}),
        (envelope.IMMINENT_HAZARD_OCCUPIED, {"state": "acknowledged"}),
    ],
)
def test_a_wrong_value_is_refused(type_: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        example(type_, **changes)


def test_the_fire_department_gets_what_it_needs_and_no_more() -> None:
    case = {
        *("case_id", "premises_id", "address", "division_code", "latitude", "longitude"),
        *("hazards", "headcount", "since", "state"),
    }
    assert set(alerts.ImminentHazardOccupiedV1.model_fields) == case
    assert set(alerts.ImminentHazardOccupiedClearedV1.model_fields) == {*case, "ended_at"}
    assert set(alerts.CaseHazardV1.model_fields) == {"item", "severity"}
    personal = {
        name for name, found in fields_of(alerts.ImminentHazardOccupiedV1).items() if found.tags.class_ != "none"
    }
    assert personal == {"ImminentHazardOccupiedV1.headcount"}


def test_premises_written_before_hazards_were_listed_are_still_read() -> None:
    first = Contracts().examples(envelope.PREMISES)[0].read_text(encoding="utf-8")
    assert housing.PremisesV1.model_validate_json(first).open_hazards == ()
    third = Contracts().examples(envelope.PREMISES)[2].read_text(encoding="utf-8")
    premises = housing.PremisesV1.model_validate_json(third)
    assert premises.worst_open_hazard == max(premises.open_hazards, key=lambda one: one.severity == "imminent").severity
