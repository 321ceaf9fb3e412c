"""Capacity is area over area per person, rounded down, in rooms to live in."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.capacity import PREMISES_KINDS, ROOM_TYPES

CAPACITY = packs.load().on(date(2026, 11, 24), "330199").capacity
KINDS = st.sampled_from(PREMISES_KINDS)
TYPES = st.sampled_from(ROOM_TYPES)
# Areas as people enter them: square metres with at most two decimals.
AREAS = st.integers(min_value=1, max_value=50_000).map(lambda n: n / 100)
ROOMS = st.lists(st.tuples(TYPES, AREAS | st.none()), max_size=8)


@pytest.mark.parametrize(
    ("kind", "room_type", "area", "people"),
    [
        ("rental", "bedroom", 12.0, 3),
        ("rental", "bedroom", 11.99, 2),
        ("rental", "bedroom", 3.99, 0),
        ("rental", "living_room", 20.0, 5),
        ("shared_rental", "bedroom", 8.0, 2),
        ("hotel", "bedroom", 16.0, 4),
        ("dormitory", "dormitory", 24.0, 6),
        ("dormitory", "dormitory", 60.0, 8),
        ("site_shed", "dormitory", 25.0, 10),
        ("site_shed", "dormitory", 60.0, 16),
        ("site_shed", "dormitory", 7.5, 3),
        ("market", "bedroom", 100.0, 0),
        ("entertainment_venue", "bedroom", 100.0, 0),
    ],
)
def test_a_room_takes_as_many_as_the_pack_says(kind: str, room_type: str, area: float, people: int) -> None:
    assert CAPACITY.of_room(kind, room_type, area) == people


@pytest.mark.parametrize("room_type", ["kitchen", "bathroom", "balcony", "storage", "garage", "corridor"])
@pytest.mark.parametrize("kind", PREMISES_KINDS)
def test_nobody_lives_in_a_kitchen_balcony_store_or_garage(kind: str, room_type: str) -> None:
    assert CAPACITY.of_room(kind, room_type, 500.0) == 0


def test_a_room_without_area_takes_nobody() -> None:
    assert CAPACITY.of_room("rental", "bedroom", None) == 0
    assert CAPACITY.of_room("rental", "bedroom", 0.0) == 0


def test_the_limit_per_room_does_not_bind_one_household() -> None:
    assert CAPACITY.of_room("dormitory", "dormitory", 60.0, one_household=True) == 15


@given(KINDS, TYPES, AREAS)
def test_a_room_has_the_floor_of_the_exact_quotient(kind: str, room_type: str, area: float) -> None:
    people = CAPACITY.of_room(kind, room_type, area)
    rule = CAPACITY.rule(kind)
    if rule is None or room_type not in rule.room_types:
        assert people == 0
        return
    exact = Fraction(round(area * 100), 100) / Fraction(str(rule.area_per_person_m2))
    assert people == min(exact.numerator // exact.denominator, rule.most_per_room or 10**9)


@given(KINDS, ROOMS, TYPES, AREAS)
def test_another_room_never_makes_it_smaller(
    kind: str, rooms: list[tuple[str, float | None]], room_type: str, area: float
) -> None:
    before = CAPACITY.of_rooms(kind, rooms)
    assert CAPACITY.of_rooms(kind, [*rooms, (room_type, area)]) == before + CAPACITY.of_room(kind, room_type, area)
    assert CAPACITY.of_rooms(kind, rooms, one_household=True) >= before >= 0
