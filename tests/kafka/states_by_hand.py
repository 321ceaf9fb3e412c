"""Invented states of premises and headcounts, as they may arrive, and what a careful reader by hand knows of them."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts import topics
from tests.service.alerts.dwellings import headcount, premises

# Of ten places one ends: it is published no more. Of the records a third comes again and a fifth much later than made;
# the others come in another order than their neighbours, so many places off at most.
ENDING, REPEATED, LATE, NEAR = 0.1, 1 / 3, 0.2, 50
ITEMS = (("fire_exits", "imminent"), ("flammables", "imminent"), ("wiring", "serious"), ("extinguishers", "minor"))
SIDES = (topics.HOUSING_PREMISES, topics.REGISTRATION_OCCUPANCY)

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A record: the side it tells of, and what it says; a value of None ends its key."""

    side: str
    premises_id: UUID
    version: tuple[int, int]
    value: Mapping[str, Any] | None


@dataclass
class Known:
    """What a careful reader by hand knows of one place: the newest version of each side."""

    newest: dict[str, Sent] = field(default_factory=dict)

    def hear(self, sent: Sent) -> None:
        """The last version wins; an end is an end."""
        before = self.newest.get(sent.side)
        if sent.value is None or before is None or sent.version > before.version:
            self.newest[sent.side] = sent

    def of(self, side: str) -> Mapping[str, Any] | None:
        """What that side says now."""
        found = self.newest.get(side)
        return found.value if found else None

    @property
    def headcount(self) -> int | None:
        """How many people, None where nobody said."""
        told = self.of(topics.REGISTRATION_OCCUPANCY)
        return None if told is None else int(told["headcount"])

    def alerts(self) -> dict[str, Facts]:
        """Which rules hold, and by which facts."""
        place, people = self.of(topics.HOUSING_PREMISES), self.headcount or 0
        if place is None:
            return {}
        dangers = sorted({each["item"] for each in place["open_hazards"] if each["severity"] == "imminent"})
        found: dict[str, Facts] = {}
        if people > 0 and (dangers or place["status"] == "closed"):
            found["unsafe_dwelling"] = {"headcount": people, "closed": place["status"] == "closed", "items": dangers}
        if not place["one_household"] and 0 < place["capacity"] < people:
            found["overcrowded"] = {"headcount": people, "capacity": place["capacity"]}
        return found


def invent(dice: random.Random, ids: Sequence[UUID], each: int) -> list[Sent]:
    """So many versions of either side of each place, in the order in which they were made."""
    made: list[Sent] = []
    for premises_id in ids:
        for number in range(1, each + 1):
            # A restored outbox begins a new epoch with small numbers.
            version = (1, number) if number <= each // 2 else (2, number - each // 2)
            hazards = tuple(dice.sample(ITEMS, dice.choice((0, 0, 1, 2))))
            facts = {
                "status": dice.choice(("open", "open", "open", "closed")),
                "capacity": dice.choice((0, 2, 4, 6)),
                "one_household": dice.random() < 0.2,
                "version": "{}.{}".format(*version),
            }
            place = json.loads(premises(number, hazards, premises_id, **facts).value or b"")
            people = json.loads(headcount(number, dice.randrange(8), premises_id).value or b"")
            people["version"] = facts["version"]
            for side, value in zip(SIDES, (place, people), strict=True):
                made.append(Sent(side, premises_id, version, value))
    return made


def mixed(dice: random.Random, made: Sequence[Sent]) -> list[Sent]:
    """As they arrive: some long after, a third again, neighbours in any order; an end comes when all else has."""
    arriving: list[tuple[float, Sent]] = []
    for number, sent in enumerate(_in_turn(dice, made)):
        late = dice.random() * len(made) if dice.random() < LATE else dice.random() * NEAR
        arriving.append((number + late, sent))
        if dice.random() < REPEATED:
            arriving.append((number + late + dice.random() * len(made), sent))
    places = sorted({sent.premises_id for sent in made})
    ending = dice.sample(places, int(len(places) * ENDING))
    ends = [Sent(side, each, (0, 0), None) for each in ending for side in dice.sample(SIDES, dice.choice((1, 2)))]
    return [sent for _when, sent in sorted(arriving, key=lambda pair: pair[0])] + ends


def _in_turn(dice: random.Random, made: Sequence[Sent]) -> list[Sent]:
    """The states of all places among each other; those of one place in the order in which they were made."""
    turns = [sent.premises_id for sent in made]
    dice.shuffle(turns)
    waiting: dict[UUID, list[Sent]] = {}
    for sent in reversed(made):
        waiting.setdefault(sent.premises_id, []).append(sent)
    return [waiting[premises_id].pop() for premises_id in turns]


def known(arrived: Iterable[Sent]) -> dict[UUID, Known]:
    """What the reader by hand knows in the end."""
    found: dict[UUID, Known] = {}
    for sent in arrived:
        found.setdefault(sent.premises_id, Known()).hear(sent)
    return found
