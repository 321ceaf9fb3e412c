"""The unit tree's file, and who may act where."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.registration.domain.access import Actor, OutsideArea, check_reach, may_act_at
from services.registration.domain.units import BadUnits, read_units

FILE = Path(__file__).resolve().parents[3] / "deploy" / "units.yaml"
PLACE = "330199001001"


def test_the_demo_has_the_units_that_others_count_on() -> None:
    units = {unit.unit_id: unit for unit in read_units(yaml.safe_load(FILE.read_text())["units"])}
    assert set(units) >= {
        "city", "station-01", "station-02", "committee-01", "hotel-01", "notice-desk-01", "notice-desk-02",
        "command-centre", "oversight", "fire", "education", "child-protection",
    }  # fmt: skip
    assert units["station-01"].areas == ("330199001",)
    assert units["station-02"].areas == ("330199002",)
    assert all(unit.parent in units for unit in units.values() if unit.unit_id != "city")


def good(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "kind": "city", "name": {"zh": "甲", "en": "A"}, **changes}


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], "no unit"),
        ([good(id="A B")], "no unit id"),
        ([good(), good()], "twice"),
        ([good(parent="b")], "does not stand before it"),
        ([good(name={"zh": "甲"})], "zh and en"),
        ([good(kind="Police Station")], "no kind"),
        ([good(areas=[330199])], "in quotes"),
        ([good(areas=["33019900100100000"])], "areas"),
        ([good(boss="x")], "unknown field boss"),
    ],
)
def test_a_bad_file_is_refused_with_the_unit_and_why(entries: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(BadUnits, match=why):
        read_units(entries)


@pytest.mark.parametrize(
    ("role", "areas", "unit", "operator_unit", "may"),
    [
        ("clerk", ("330199001",), "station-01", None, True),
        ("inspector", ("330199",), "city", None, True),
        ("clerk", ("330199002", "330199001001"), "station-02", None, True),
        ("clerk", ("330199002",), "station-02", "station-02", False),
        ("clerk", (), "hotel-01", "hotel-01", False),
        ("premises_operator", (), "hotel-01", "hotel-01", True),
        ("premises_operator", ("330199001",), "hotel-01", "hotel-02", False),
        ("premises_operator", ("330199001",), "hotel-01", None, False),
        ("duty_officer", ("330199",), "command-centre", "command-centre", False),
    ],
)
def test_clerks_act_within_their_area_and_operators_at_their_own_premises(
    role: str, areas: tuple[str, ...], unit: str, operator_unit: str | None, may: bool
) -> None:
    actor = Actor("someone", role, unit, areas)
    assert may_act_at(actor, PLACE, operator_unit) is may
    if not may:
        with pytest.raises(OutsideArea):
            check_reach(actor, areas, PLACE, operator_unit)
