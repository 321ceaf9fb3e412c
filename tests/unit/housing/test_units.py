"""Who may see and register premises: inspectors within their area, an operator's unit its own."""

import pytest

from services.housing.domain.units import Actor, may_see, responsible_for

STATION = Actor("i", "inspector", "station-01", ("330199001",))
HOTEL = Actor("o", "premises_operator", "hotel-01", ())


@pytest.mark.parametrize(
    ("division", "expected"),
    [("330199001", True), ("330199001002", True), ("330199002", False), ("330199", False), ("33019900", False)],
)
def test_an_area_is_a_prefix_of_the_division(division: str, expected: bool) -> None:
    assert responsible_for(STATION, division) is expected
    assert may_see(STATION, division, "hotel-01") is expected


def test_an_operator_sees_only_what_the_own_unit_runs() -> None:
    assert may_see(HOTEL, "330199002", "hotel-01")
    assert not may_see(HOTEL, "330199001", "hotel-02")
    assert not may_see(HOTEL, "330199001", None)
    assert not responsible_for(HOTEL, "330199001")


def test_a_unit_without_areas_is_responsible_for_nothing() -> None:
    assert not may_see(Actor("i", "inspector", "unknown"), "330199001", None)


@pytest.mark.parametrize("role", ["clerk", "duty_officer", "manager", "resident", "administrator"])
def test_other_roles_see_nothing(role: str) -> None:
    assert not may_see(Actor("x", role, "hotel-01", ("330199",)), "330199001", "hotel-01")
