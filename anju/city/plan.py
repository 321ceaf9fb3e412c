"""Owns the plan of a city: all that follows from its seed alone, before anything has happened."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from anju.city.papers import FAMILY_KINDS, STAYS
from anju.city.places import Place, plan
from anju.city.population import Population
from policy.checklists import Checklist
from policy.packs import Rules

# As many premises may a clerk fail to find, and enter as stubs that an inspector completes.
UNKNOWN_PLACES = 40


@dataclass(frozen=True, slots=True)
class Home:
    """Where a first resident lives."""

    person: int
    place: Place
    room: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A city by its seed. `name` begins each of its idempotency keys; `unknown` are premises that housing lacks."""

    seed: int
    name: str
    places: tuple[Place, ...]
    unknown: tuple[Place, ...]
    population: Population
    checklist: Checklist

    def is_adult(self, person: int) -> bool:
        """Whether this person may live where workers do, or be named by a notice."""
        return not self.population.is_child(person)

    def is_anybody(self, person: int) -> bool:
        """Whether this person may live where families do: always."""
        return True

    def homes(self, residents: int) -> Iterator[Home]:
        """Where the first residents live: each bed once, children where families live; fewer if beds run out."""
        beds = [(place, room) for place in self.places if place.kind in STAYS for room in place.beds]
        random.Random(f"{self.seed}/homes").shuffle(beds)
        kept: list[tuple[Place, str]] = []  # workers' beds that a child's turn passed over
        coming = iter(beds)
        for person in range(residents):
            if self.is_adult(person) and kept:
                yield Home(person, *kept.pop())
                continue
            for place, room in coming:
                if self.is_adult(person) or place.kind in FAMILY_KINDS:
                    yield Home(person, place, room)
                    break
                kept.append((place, room))
            else:
                return


def of_seed(seed: int, name: str, premises: int, rules: Rules) -> Plan:
    """The plan of a seed; `rules` are those in force."""
    places = plan(seed, premises + UNKNOWN_PLACES, rules.capacity)
    return Plan(seed, name, places[:premises], places[premises:], Population(seed), rules.checklist)
