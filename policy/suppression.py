"""From which count on a cell of a statistic is shown."""

from dataclasses import dataclass
from typing import Final

from policy.reading import Value

# The least that product.md allows: a city may hide more, not less.
LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Suppression:
    """The rule in force on a day; `source` names the article and says whose number it is."""

    least_cell: int
    source: str

    def hides(self, count: int) -> bool:
        """Whether a cell is too small to be shown. Zero is shown: it tells of nobody."""
        return 0 < count < self.least_cell


def read(values: Value) -> Suppression:
    """The `values` of a pack `suppression`."""
    record = values.record(("least_cell", "source"))
    return Suppression(least_cell=record["least_cell"].whole(LEAST, 1000), source=record["source"].text())
