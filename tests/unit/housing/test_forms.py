"""The form of new premises: what people type, and what they are told at which field."""

import pytest

from services.housing.web.forms import AT_LINE, FormRefused, read, read_rooms

TYPED = {
    "kind": "hotel",
    "name": "湖滨旅馆",
    "address": "柳堤街道湖滨路 8 号",
    "division_code": "３３０１９９００１",
    "latitude": "30.25",
    "longitude": "120.17",
    "rooms": "0801~0803 客房 20\n\n0810 厨房 8.5",
    "operator_kind": "firm",
    "operator_name": "湖滨旅馆有限公司",
    "operator_phone": "13800000000",
    "operator_unit": "hotel-01",
}


def test_a_form_becomes_the_body_that_machines_send() -> None:
    body, rooms = read(TYPED)
    assert body.division_code == "330199001"
    assert (body.latitude, body.one_household, body.operator_unit) == (30.25, False, "hotel-01")
    assert [(room.number, room.type, room.area_m2) for room in body.rooms] == [
        ("0801", "bedroom", 20.0),
        ("0802", "bedroom", 20.0),
        ("0803", "bedroom", 20.0),
        ("0810", "kitchen", 8.5),
    ]
    assert rooms.lines == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("0801", "bad-line", 1),
        ("0801 卧室", "bad-line", 1),
        ("0801 卧室 很大", "bad-line", 1),
        ("0801 卧室 20\n0802 天台 20", "unknown-type", 2),
        ("0810~0801 卧室 20", "bad-range", 1),
        ("0801~0901A 卧室 20", "bad-range", 1),
        ("A801~B802 卧室 20", "bad-range", 1),
        ("00000~99999 卧室 20", "bad-range", 1),
        ("0801 卧室 0", "too-small", 1),
        ("0801 卧室 20\n0802 卧室 20000", "too-large", 2),
    ],
)
def test_a_bad_line_is_named(text: str, code: str, line: int) -> None:
    with pytest.raises(FormRefused) as refused:
        read({**TYPED, "rooms": text})
    fault = refused.value.errors["rooms"]
    assert (fault.code, fault.params) == (code, {"line": line})
    assert fault.message in AT_LINE.values()


def test_numbers_with_hyphens_and_full_width_signs_are_read() -> None:
    rooms = read_rooms("2-301～2-303 bedroom 12.5\n４０１ 卧室 １２m²").rooms
    assert [room["number"] for room in rooms] == ["2-301", "2-302", "2-303", "401"]


def test_every_field_is_told_what_is_wrong_with_it() -> None:
    with pytest.raises(FormRefused) as refused:
        read({"latitude": "91", "longitude": "east", "division_code": "33", "rooms": "x", "kind": "castle"})
    assert set(refused.value.errors) == {
        "kind",
        "name",
        "address",
        "division_code",
        "latitude",
        "longitude",
        "rooms",
        "operator_kind",
        "operator_name",
        "operator_phone",
    }


def test_infinite_coordinates_are_none() -> None:
    with pytest.raises(FormRefused) as refused:
        read({**TYPED, "latitude": "nan", "longitude": "inf"})
    assert set(refused.value.errors) == {"latitude", "longitude"}
