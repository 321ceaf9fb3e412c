"""Premises: what is refused at registration, what becomes of what was typed, and how many may live there."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.capacity import AreaRule, Capacity
from services.housing.domain.faults import Fault, Refused
from services.housing.domain.premises import Entry, Operator, Premises, Room, open_premises

NOW = datetime(2026, 11, 24, 2, 44, tzinfo=UTC)
ID = UUID("0192d8a0-0000-7000-8000-000000000001")
# Invented, so that the test does not follow the packs: 4 m² for each person, 8 in a room at most.
RULE = Capacity({"rental": AreaRule(("bedroom",), 4, 8, "test"), "hotel": AreaRule(("bedroom",), 4, None, "test")})
ENTRY = Entry(
    kind="rental",
    name="青年公寓 2 幢",
    address="柳堤街道青年路 26 号",
    division_code="330199001",
    latitude=30.25,
    longitude=120.17,
    rooms=(Room("101", "bedroom", 12.5), Room("102", "kitchen", 20.0)),
    operator=Operator("firm", "柳堤公寓管理有限公司", "13800000000"),
)


def opened(entry: Entry) -> Premises:
    return open_premises(ID, entry, RULE, NOW)[0]


def refusal(entry: Entry) -> tuple[Fault, ...]:
    with pytest.raises(Refused) as refused:
        opened(entry)
    return refused.value.faults


def test_capacity_is_the_sum_of_rooms_to_live_in() -> None:
    premises = opened(ENTRY)
    assert [room.capacity for room in premises.rooms] == [3, 0]
    assert premises.capacity == 3
    assert (premises.status, premises.version, premises.registered_at) == ("open", 1, NOW)


def test_one_household_is_not_bound_by_the_limit_per_room() -> None:
    big = replace(ENTRY, rooms=(Room("101", "bedroom", 60.0),))
    assert opened(big).capacity == 8
    assert opened(replace(big, one_household=True)).capacity == 15


def test_nobody_lives_in_a_market() -> None:
    assert opened(replace(ENTRY, kind="market")).capacity == 0


def test_what_was_typed_gets_its_normal_form() -> None:
    premises, operator = open_premises(
        ID,
        replace(
            ENTRY,
            name=" 青年公寓　2 幢 ",
            rooms=(Room(" １０１ Ａ", "bedroom", 8.0),),
            operator=Operator("person", " 陈  晓敏 ", "（0571）8888-8888 "),
        ),
        RULE,
        NOW,
    )
    assert premises.name == "青年公寓 2 幢"
    assert premises.rooms[0].number == "101A"
    assert operator == Operator("person", "陈 晓敏", "057188888888")


def test_every_fault_is_told_at_once() -> None:
    entry = replace(
        ENTRY,
        name="　",
        rooms=(Room("101", "bedroom", 8.0), Room("１０１", "bedroom", 8.0), Room(" ", "kitchen", 5.0)),
        operator=Operator("person", " ", "call me"),
    )
    assert set(refusal(entry)) == {
        Fault("/rooms/1/number", "duplicate-room"),
        Fault("/rooms/2/number", "missing"),
        Fault("/operator/name", "missing"),
        Fault("/operator/phone", "not-a-phone-number"),
        Fault("/name", "missing"),
    }


def test_a_refusal_repeats_nothing_that_was_typed() -> None:
    with pytest.raises(Refused) as refused:
        opened(replace(ENTRY, operator=Operator("person", "陈晓敏", "12")))
    assert "陈晓敏" not in str(refused.value)
    assert "12" not in str(refused.value)


@given(
    st.lists(
        st.tuples(st.sampled_from(["bedroom", "kitchen"]), st.floats(0.1, 500), st.sampled_from(["rental", "hotel"])),
        max_size=12,
    )
)
def test_capacity_never_exceeds_the_area_rule(rooms: list[tuple[str, float, str]]) -> None:
    for kind in ("rental", "hotel"):
        entry = replace(
            ENTRY,
            kind=kind,
            rooms=tuple(Room(str(at), type_, area) for at, (type_, area, _) in enumerate(rooms)),  # type: ignore[arg-type]
        )
        premises = opened(entry)
        assert premises.capacity == sum(room.capacity for room in premises.rooms)
        for room in premises.rooms:
            assert room.capacity == 0 or (room.type == "bedroom" and room.capacity * 4 <= room.area_m2)
            assert kind != "rental" or room.capacity <= 8
