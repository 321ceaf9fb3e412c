"""A piece of ground as a drawing: degrees become its units, with a scale bar; no tiles, no server of anybody else."""

import math
from collections.abc import Collection
from dataclasses import dataclass

# Of a degree of latitude and, at the equator, of longitude (WGS 84, to 0.6 %: a map of a city needs no more).
METRES_LATITUDE, METRES_LONGITUDE = 110_574.0, 111_320.0

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True, slots=True)
class View:
    """A drawing of `width` by `height` units whose middle is a point; `scale` is units per metre."""

    width: float
    height: float
    middle: Point
    scale: float

    def at(self, point: Point) -> tuple[float, float]:
        """Return where a point lies on the drawing: x to the right, y down, to a tenth of a unit."""
        across = METRES_LONGITUDE * math.cos(math.radians(self.middle[0]))
        return (
            round(self.width / 2 + (point[1] - self.middle[1]) * across * self.scale, 1),
            round(self.height / 2 - (point[0] - self.middle[0]) * METRES_LATITUDE * self.scale, 1),
        )

    @property
    def metres(self) -> int:
        """What the scale bar stands for: a round length of at most a fifth of the width."""
        return _round_length(self.width / 5 / self.scale)

    @property
    def bar(self) -> float:
        """The scale bar's length in units."""
        return round(self.metres * self.scale, 1)


def around(points: Collection[Point], width: float, height: float, *, margin: float, least_metres: float) -> View:
    """Return the view that shows all points within its margin; one alone is shown `least_metres` wide and high."""
    latitudes, longitudes = [lat for lat, _lon in points], [lon for _lat, lon in points]
    middle = ((min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2)
    across = METRES_LONGITUDE * math.cos(math.radians(middle[0]))
    wide = max((max(longitudes) - min(longitudes)) * across, least_metres)
    high = max((max(latitudes) - min(latitudes)) * METRES_LATITUDE, least_metres)
    return View(width, height, middle, min((width - 2 * margin) / wide, (height - 2 * margin) / high))


def _round_length(most: float) -> int:
    """Return the longest of 1, 2, 5, 10, 20, … metres that is not more than `most`."""
    power = 10 ** math.floor(math.log10(max(most, 1.0)))
    return int(max(step * power for step in (1, 2, 5) if step * power <= max(most, 1.0)))
