"""The map: premises placed by their coordinates, with a scale; no tiles, no server of anybody else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.housing.use_cases.queries import Line

# Of a degree of latitude and, at the equator, of longitude (WGS 84, to 0.6 %: a map of a district needs no more).
METRES_LATITUDE, METRES_LONGITUDE = 110_574.0, 111_320.0
WIDTH, HEIGHT, MARGIN = 1000.0, 640.0, 40.0
# One building alone is shown in its quarter, not blown up to fill the map.
LEAST_METRES = 500.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One premises on the map, in the drawing's units."""

    x: float
    y: float
    line: Line


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks, and a scale bar `bar` units long that stands for `metres`."""

    marks: Sequence[Mark]
    bar: float
    metres: int


def draw(lines: Sequence[Line], at: UUID | None = None) -> Drawing:
    """Place premises that have coordinates; on top the gravest hazards, and above them the one looked for (`at`)."""
    placed = [(each, each.latitude, each.longitude) for each in lines]
    known = [(each, lat, lon) for each, lat, lon in placed if lat is not None and lon is not None]
    if not known:
        return Drawing((), 0.0, 0)
    latitudes, longitudes = [lat for _, lat, _ in known], [lon for _, _, lon in known]
    middle_lat = (min(latitudes) + max(latitudes)) / 2
    middle_lon = (min(longitudes) + max(longitudes)) / 2
    across = METRES_LONGITUDE * math.cos(math.radians(middle_lat))
    wide = max((max(longitudes) - min(longitudes)) * across, LEAST_METRES)
    high = max((max(latitudes) - min(latitudes)) * METRES_LATITUDE, LEAST_METRES)
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
    marks = [
        Mark(
            round(WIDTH / 2 + (lon - middle_lon) * across * scale, 1),
            round(HEIGHT / 2 - (lat - middle_lat) * METRES_LATITUDE * scale, 1),
            each,
        )
        for each, lat, lon in known
    ]
    metres = _round_length(WIDTH / 5 / scale)
    return Drawing(
        tuple(sorted(marks, key=lambda mark: (mark.line.premises_id == at, _rank(mark.line)))),
        round(metres * scale, 1),
        metres,
    )


def _rank(line: Line) -> int:
    return {None: 0, "minor": 1, "serious": 2, "imminent": 3}[line.worst]


def _round_length(most: float) -> int:
    """Return the longest of 1, 2, 5, 10, 20, … metres that is not more than `most`."""
    power = 10 ** math.floor(math.log10(max(most, 1.0)))
    return int(max(step * power for step in (1, 2, 5) if step * power <= max(most, 1.0)))
