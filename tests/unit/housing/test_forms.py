"""The form of new premises: what people type, and what they are told at which field."""

import pytest

from chassis.web.faults import FieldError
from chassis.web.forms import Form
from services.housing.web.forms import AT_LINE, BadLine, Rooms, note, read, read_rooms

TYPED = {
    "kind": "hotel",
    "name": "湖滨旅馆",
    "address": "柳堤街道湖滨路 8 号",
    "division_code": "３３０１９９００１",
    "latitude": "30.25",
    "longitude": "120.17",
    "rooms": "0801~0803 客房 20\n\n0810 厨房 8.5",
    "operator.kind": "firm",
    "operator.name": "湖滨旅馆有限公司",
    "operator.phone": "13800000000",
    "operator_unit": "hotel-01",
}


def test_a_form_becomes_the_body_that_machines_send() -> None:
    read_form = read(Form(TYPED))
    assert read_form is not None
    body, rooms = read_form
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
        ("0001~2000 卧室 20\n2001~4000 卧室 20", "too-many", 2),
    ],
)
def test_a_bad_line_is_named(text: str, code: str, line: int) -> None:
    with pytest.raises(BadLine) as bad:
        read_rooms(text)
    assert bad.value.error == FieldError("/rooms", code, AT_LINE[code], {"line": line})


@pytest.mark.parametrize("area", ["0", "20000"])
def test_a_room_that_cannot_be_is_told_at_its_line(area: str) -> None:
    form = Form({**TYPED, "rooms": f"0801 卧室 20\n0802 卧室 {area}"})
    assert read(form) is None
    assert list(form.errors) == ["rooms"]
    assert "2" in form.errors["rooms"]


def test_a_fault_found_later_is_told_at_its_line() -> None:
    form = Form(TYPED)
    note(form, [FieldError("/rooms/1/number", "duplicate-room", "x")], Rooms([{}, {}], [1, 7]))
    assert form.errors == {"rooms": FieldError("/", "x", AT_LINE["duplicate-room"], {"line": 7}).sentence()}


def test_numbers_with_hyphens_and_full_width_signs_are_read() -> None:
    rooms = read_rooms("2-301～2-303 bedroom 12.5\n４０１ 卧室 １２m²").rooms
    assert [room["number"] for room in rooms] == ["2-301", "2-302", "2-303", "401"]


def test_every_field_is_told_what_is_wrong_with_it() -> None:
    form = Form({"latitude": "91", "longitude": "east", "division_code": "33", "rooms": "x", "kind": "castle"})
    assert read(form) is None
    assert set(form.errors) == {
        "kind",
        "name",
        "address",
        "division_code",
        "latitude",
        "longitude",
        "rooms",
        "operator.kind",
        "operator.name",
        "operator.phone",
    }


def test_infinite_coordinates_are_none() -> None:
    form = Form({**TYPED, "latitude": "nan", "longitude": "inf"})
    assert read(form) is None
    assert set(form.errors) == {"latitude", "longitude"}
