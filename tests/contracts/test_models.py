"""Events are strict where they are written and tolerant of additions where they are read; names follow one pattern."""

import re
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from pydantic import ValidationError

from contracts import envelope, topics
from contracts.alerts import AlertRaisedV1, AlertState, NoticeActivatedV1
from contracts.event import State
from contracts.housing import PremisesKind, PremisesStatus, PremisesV1, RoomType, RoomV1
from contracts.registration import MatchingTokenV1, OccupancyV1, PersonArrivedV1, StayKind

ID = UUID("019ab001-5c00-7000-8000-000000000001")
NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
STATISTICS = (envelope.REGISTRATION_STATISTICS, envelope.HOUSING_STATISTICS, envelope.ALERTS_STATISTICS)


def arrived(**changes: object) -> PersonArrivedV1:
    facts = {"stay_id": ID, "premises_id": ID, "division_code": "330199001", "kind": StayKind.TENANT}
    return PersonArrivedV1.model_validate({**facts, "occurred_at": NOW, "recorded_at": NOW, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"occurred_at": datetime(2026, 11, 24)},  # noqa: DTZ001 - a time without offset is the point
        {"stay_id": "not an id"},
        {"stay_id": str(ID)},
        {"kind": "squatter"},
        {"division_code": "3301"},
        {"division_code": 330199001},
        {"division_code": "３３０１９９００１"},
        {"room": 302},
        {"token": {"key_id": "k", "value": "short"}},
    ],
)
def test_a_wrong_value_is_refused_where_it_is_written(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        arrived(**changes)


def test_a_later_addition_is_read_over() -> None:
    text = arrived().model_dump_json(exclude_none=True)
    assert PersonArrivedV1.model_validate_json(text.replace("{", '{"added_later": [1], ', 1)) == arrived()


def test_an_offset_is_kept_as_the_same_moment() -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    event = arrived(occurred_at=shanghai)
    assert PersonArrivedV1.model_validate_json(event.model_dump_json()).occurred_at == NOW


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        arrived().room = "1"  # type: ignore[misc]


def test_a_states_version_is_filled_in_on_the_way() -> None:
    occupancy = OccupancyV1(premises_id=ID, headcount=2)
    value = occupancy.model_dump(mode="json", exclude_none=True)
    assert "version" not in value
    sent = OccupancyV1(premises_id=ID, headcount=2, version="1764.2")
    assert OccupancyV1.model_validate_json(sent.model_dump_json()) == sent
    with pytest.raises(ValidationError):
        OccupancyV1(premises_id=ID, headcount=2, version="2")
    with pytest.raises(ValidationError):
        OccupancyV1(premises_id=ID, headcount=-1)


def test_nested_values_survive_the_way() -> None:
    premises = PremisesV1(
        premises_id=ID,
        kind=PremisesKind.RENTAL,
        status=PremisesStatus.OPEN,
        address="安居路1号",
        division_code="330199001",
        rooms=(RoomV1(number="1", type=RoomType.BEDROOM, area_m2=12.5, capacity=3),),
        capacity=3,
    )
    assert PremisesV1.model_validate_json(premises.model_dump_json(exclude_none=True)) == premises
    token = MatchingTokenV1(key_id="matching-1", value="A" * 43)
    notice = NoticeActivatedV1(notice_id=ID, token=token, activated_at=NOW)
    assert NoticeActivatedV1.model_validate_json(notice.model_dump_json(exclude_none=True)) == notice


def test_an_alert_tells_registration_the_stay_and_nothing_of_the_notice() -> None:
    alert = AlertRaisedV1(alert_id=ID, stay_id=ID, state=AlertState.NEW, occurred_at=NOW)
    assert set(alert.model_dump()) == {"alert_id", "stay_id", "state", "occurred_at"}


@pytest.mark.parametrize(("type_", "model"), envelope.TYPES.items())
def test_type_and_model_have_one_name(type_: str, model: type) -> None:
    match = re.fullmatch(r"anju\.(registration|housing|alerts)\.([a-z-]+)\.v([0-9]+)", type_)
    assert match
    camel = "".join(word.capitalize() for word in match[2].split("-"))
    # Three services publish statistics: their models' names say whose.
    owner = match[1].capitalize() if camel == "Statistics" else ""
    assert model.__name__ == f"{owner}{camel}V{match[3]}"
    assert model.__module__ == f"contracts.{match[1]}"
    assert model.__doc__


def test_states_and_topics_are_those_of_the_interfaces() -> None:
    states = {type_ for type_, model in envelope.TYPES.items() if issubclass(model, State)}
    assert states == {envelope.OCCUPANCY, envelope.UNIT, envelope.PREMISES, *STATISTICS}
    named = {value for name, value in vars(topics).items() if name.isupper()}
    assert named == {
        "registration.stays",
        "registration.occupancy",
        "registration.units",
        "registration.stubs",
        "registration.statistics",
        "housing.premises",
        "housing.inspections",
        "housing.statistics",
        "alerts.alerts",
        "alerts.notices",
        "alerts.statistics",
        "alerts.department.fire",
        "alerts.department.child-protection",
        "registration.department.education",
    }
