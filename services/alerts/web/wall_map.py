"""The wall's map: divisions by their outlines, and in each how many alerts are open, never where exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.web import maps
from chassis.web.maps import View
from services.alerts.domain.alerts import Alert, Severity
from services.alerts.domain.places import street_and_community
from services.alerts.use_cases.read_divisions import Division

WIDTH, HEIGHT, MARGIN = 800.0, 480.0, 60.0
LEAST_METRES = 2_000.0
# More names than this lie on top of each other; then only divisions with open alerts have one.
NAMES = 15


@dataclass(frozen=True, slots=True)
class Area:
    """A division on the drawing: its outline, its middle, its name, and the open alerts in it, worst first.

    `first`: the alert that waits before all others is here.
    """

    code: str
    outline: str
    x: float
    y: float
    name: str
    marks: Sequence[tuple[Severity, int]]
    first: bool


@dataclass(frozen=True, slots=True)
class WallMap:
    """The drawing, in units of its own."""

    areas: Sequence[Area]
    view: View


def draw(
    divisions: Sequence[Division], by_division: Mapping[str, Mapping[Severity, int]], first: Alert | None
) -> WallMap | None:
    """Draw the divisions; None where no premises have coordinates."""
    corners = [corner for each in divisions for corner in each.corners]
    if not corners:
        return None
    view = maps.around(corners, WIDTH, HEIGHT, margin=MARGIN, least_metres=LEAST_METRES)
    areas = []
    for each in divisions:
        marks = tuple(by_division.get(each.code, {}).items())
        points = [view.at(corner) for corner in each.corners]
        street, community = street_and_community(each.address)
        areas.append(
            Area(
                code=each.code,
                outline=" ".join(f"{x},{y}" for x, y in points),
                x=round(sum(x for x, _y in points) / len(points), 1),
                y=round(sum(y for _x, y in points) / len(points), 1),
                name=(community or street or each.code) if marks or len(divisions) <= NAMES else "",
                marks=marks,
                first=first is not None and first.division_code == each.code,
            )
        )
    return WallMap(areas, view)
