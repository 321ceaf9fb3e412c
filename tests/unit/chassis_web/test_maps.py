"""Degrees become units of a drawing."""

import pytest

from chassis.web import maps


def test_north_is_up_and_a_metre_is_as_long_in_both_directions() -> None:
    """At 60° a degree of longitude is half as long as one of latitude."""
    view = maps.View(1000, 600, (60.0, 20.0), scale=0.001)
    assert view.at((60.0, 20.0)) == (500, 300)
    (_, up), (right, _) = view.at((61.0, 20.0)), view.at((60.0, 22.0))
    assert 300 - up == pytest.approx(110.6, abs=0.1)
    assert right - 500 == pytest.approx(111.3, abs=0.1)


def test_all_points_lie_within_the_margin() -> None:
    points = [(30.0, 120.0), (30.02, 120.05), (30.01, 120.01)]
    view = maps.around(points, 800, 480, margin=60, least_metres=500)
    for x, y in map(view.at, points):
        assert 59.9 <= x <= 740.1
        assert 59.9 <= y <= 420.1


def test_one_point_alone_is_shown_in_its_quarter_with_a_round_scale() -> None:
    view = maps.around([(30.0, 120.0)], 800, 480, margin=60, least_metres=500)
    assert view.at((30.0, 120.0)) == (400, 240)
    assert (view.metres, view.bar) == (200, 144.0)
