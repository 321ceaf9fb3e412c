"""The map: north is up, east is right, everything is on the sheet, and the scale bar is true."""

import math
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from policy.checklists import HazardSeverity
from services.housing.use_cases.queries import Line
from services.housing.web.maps import HEIGHT, WIDTH, draw


def line(latitude: float | None, longitude: float | None, worst: HazardSeverity | None = None) -> Line:
    return Line(uuid4(), "rental", "open", "楼", "路", "330199001", 3, False, 0, 0, worst, latitude, longitude)


def test_nothing_without_coordinates_is_drawn() -> None:
    assert draw([line(None, None)]).marks == ()


def test_north_is_up_east_is_right_and_the_gravest_on_top() -> None:
    south, north = line(30.20, 120.10, "imminent"), line(30.30, 120.20)
    drawing = draw([south, north])
    at = {mark.line.premises_id: mark for mark in drawing.marks}
    assert at[north.premises_id].y < at[south.premises_id].y
    assert at[north.premises_id].x > at[south.premises_id].x
    assert drawing.marks[-1].line == south
    assert draw([south, north], north.premises_id).marks[-1].line == north


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    # A hundredth of a degree of latitude is 1,106 m.
    drawing = draw([line(30.25, 120.17), line(30.26, 120.17)])
    apart = abs(drawing.marks[0].y - drawing.marks[1].y)
    assert math.isclose(drawing.bar / drawing.metres, apart / 1105.74, rel_tol=0.01)
    assert drawing.metres in (100, 200, 500)


PLACES = st.lists(st.tuples(st.floats(30, 31), st.floats(119, 121)), min_size=1, max_size=20)


@given(PLACES)
def test_every_mark_is_on_the_sheet(places: list[tuple[float, float]]) -> None:
    for mark in draw([line(latitude, longitude) for latitude, longitude in places]).marks:
        assert 0 < mark.x < WIDTH
        assert 0 < mark.y < HEIGHT
