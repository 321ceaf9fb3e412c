"""Tries the checker on planted faults: which of them does it find?"""

import random

from tests.chaos.checker.checking import check
from tests.chaos.checker.evidence import Evidence
from tests.chaos.plants import PLANTS, Plant
from tests.chaos.soil import NothingToPlantOn, Soil


def found(plant: Plant, clean: Evidence, seed: int) -> bool:
    """Whether the checker finds this fault, by its kind, in evidence in which it finds nothing else.

    Raises NothingToPlantOn.
    """
    soil = Soil(clean, random.Random(f"{seed}/{plant.name}"))
    plant.plant(soil)
    return any(finding.kind in plant.kinds for finding in check(soil.evidence))


def missed(clean: Evidence, seed: int) -> list[str]:
    """Plant every fault in turn; return the names of those that were not found."""
    names = []
    for plant in PLANTS:
        try:
            if not found(plant, clean, seed):
                names.append(plant.name)
        except NothingToPlantOn:
            names.append(f"{plant.name} (there was nothing to plant it on)")
    return names
