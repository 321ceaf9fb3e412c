"""Thirty days of a city as its reporting publishes them, and all that a reader knows about how they hang together."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.reporting.domain.divisions import REST
from services.reporting.domain.occupancy import KINDS, Day, Flow
from services.reporting.domain.tables import TOTAL, Table
from tests.unit.reporting.attack import Known, Name

CITY = "330199"
MEASURES = ("registered", "arrivals", "departures", "on_time", "late")
Key = tuple[str, str]
Counts = Mapping[Key, int]
Flows = Mapping[Key, tuple[int, int, int, int]]
Sums = list[tuple[Name, tuple[tuple[int, Name], ...]]]
# Of the residents, and how many of a kind come and go in a day.
SHARES = {"tenant": 55, "hotel_guest": 12, "dormitory": 14, "site_worker": 13, "host_family": 3, "other": 3}
TURNS = {
    "tenant": 0.006,
    "hotel_guest": 0.6,
    "dormitory": 0.01,
    "site_worker": 0.02,
    "host_family": 0.05,
    "other": 0.03,
}


def rough_days(chance: random.Random, communities: int, number: int) -> Iterator[tuple[Counts, Flows]]:
    """Days that are as awkward as can be: many counts around the limit, quiet cells beside busy ones."""
    codes = [f"330199{street:03}{community:03}" for street in range(1, 4) for community in range(1, 1 + communities)]
    keys = [(code, kind) for code in codes for kind in KINDS if chance.random() < 0.6]
    registered = {key: chance.choice([0, 0, 2, 5, 9, 10, 14, 60, 400]) for key in keys}
    yield registered, {}
    for _ in range(number):
        flows = {}
        for key in keys:
            arrivals = chance.choice([0, 0, 0, 0, 1, 2, 8, 11, 30]) if chance.random() < 0.8 else 0
            departures = min(registered[key] + arrivals, chance.choice([0, 0, 0, 0, 1, 3, 9, 12, 25]))
            late = chance.randint(0, arrivals) if chance.random() < 0.3 else 0
            if arrivals or departures:
                flows[key] = (arrivals, departures, arrivals - late, late)
        registered = {key: count + _net(flows.get(key)) for key, count in registered.items()}
        yield registered, flows


def town_days(chance: random.Random, residents: int, number: int) -> Iterator[tuple[Counts, Flows]]:
    """Days of a town of five communities: hotels turn over, tenants hardly."""
    codes = [f"330199{1 + each // 3:03}{1 + each % 3:03}" for each in range(5)]
    registered = {
        (code, kind): round(residents * share / 500 * chance.uniform(0.3, 1.7))
        for code in codes
        for kind, share in SHARES.items()
    }
    beds = dict(registered)
    yield registered, {}
    for _ in range(number):
        flows = {}
        for key, count in registered.items():
            come, go = beds[key] * TURNS[key[1]], count * TURNS[key[1]]
            arrivals = max(0, round(chance.gauss(come, come**0.5)))
            departures = min(count + arrivals, max(0, round(chance.gauss(go, go**0.5))))
            late = sum(chance.random() < 0.03 for _ in range(arrivals))
            if arrivals or departures:
                flows[key] = (arrivals, departures, arrivals - late, late)
        registered = {key: count + _net(flows.get(key)) for key, count in registered.items()}
        yield registered, flows


def _net(flow: tuple[int, int, int, int] | None) -> int:
    return flow[0] - flow[1] if flow else 0


@dataclass
class Published:
    """What was shown of which figures, what they were, and the sums that every reader knows."""

    shown: dict[Name, int] = field(default_factory=dict)
    truth: dict[Name, int] = field(default_factory=dict)
    sums: Sums = field(default_factory=list)

    @classmethod
    def of(cls, days: Iterator[tuple[Counts, Flows]]) -> "Published":
        """Ask reporting for every division and kind of every day; the first of `days` is the eve of the first day."""
        published = cls()
        before, _ = next(days)
        cells = {cell for cell in Table.of(dict.fromkeys(before, (1,))).cells if not cell[0].endswith(REST)}
        for number, (registered, flows) in enumerate(days):
            day = Day(registered, before, flows)
            counts = {"registered": registered}
            for index, measure in enumerate(Flow._fields):
                counts[measure] = {key: flow[index] for key, flow in flows.items()}
            for measure in MEASURES:
                table = Table.of({key: (count,) for key, count in counts[measure].items()}).cells
                for cell in cells:
                    name = (number, measure, *cell)
                    self_shown = getattr(day.shown(*cell), measure)
                    (published.truth[name],) = table.get(cell, (0,))
                    if self_shown is not None:
                        published.shown[name] = self_shown
            published.sums += all_sums(number, cells)
            before = registered
        return published

    @property
    def small(self) -> set[Name]:
        """The figures that nobody may learn."""
        return {name for name, count in self.truth.items() if 0 < count < 10}

    @property
    def known(self) -> Known:
        """What an attacker knows."""
        return Known(self.shown, self.sums)

    def share(self, measure: str) -> tuple[float, float]:
        """Of the cells that are not small, and of the people in them: how much is shown."""
        large = {name: count for name, count in self.truth.items() if name[1] == measure and count >= 10}
        seen = {name: count for name, count in large.items() if name in self.shown}
        return len(seen) / len(large), sum(seen.values()) / sum(large.values())


def structure(cells: set[Key]) -> Iterator[tuple[Key, list[Key]]]:
    """The sums of a table, from its cells alone."""
    divisions = {division for division, _ in cells}
    for division in divisions:
        yield (division, TOTAL), [cell for cell in cells if cell[0] == division and cell[1] != TOTAL]
        parts = [each for each in divisions if each.startswith(division) and len(each) == len(division) + 3]
        if parts:
            for kind in {kind for _, kind in cells}:
                yield (division, kind), [(part, kind) for part in parts if (part, kind) in cells]


def all_sums(number: int, cells: set[Key]) -> Sums:
    """Every sum of a day's figures: kinds, parts, on time with late, and who is registered since the day before."""
    sums: Sums = []
    for measure in MEASURES:
        sums += [
            ((number, measure, *whole), tuple((1, (number, measure, *each)) for each in members))
            for whole, members in structure(cells)
        ]
    for cell in cells:
        sums.append(((number, "arrivals", *cell), ((1, (number, "on_time", *cell)), (1, (number, "late", *cell)))))
        if number:
            before = (1, (number - 1, "registered", *cell))
            moved = ((1, (number, "arrivals", *cell)), (-1, (number, "departures", *cell)))
            sums.append(((number, "registered", *cell), (before, *moved)))
    return sums
