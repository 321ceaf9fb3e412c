"""Suppression: by hand, and against a differencing attacker over 30 published days."""

import random
from collections.abc import Iterator

import pytest

from services.reporting.domain.occupancy import KINDS, Day, Figures
from services.reporting.domain.suppression import TOTAL, Limit, Table, hide
from tests.unit.reporting.attack import Known, Name

CITY = "330199"
Key = tuple[str, str]
Flow = tuple[int, int, int, int]


def shown(counts: dict[Key, int]) -> dict[Key, int | None]:
    table = Table.of({key: (count,) for key, count in counts.items()})
    hidden = hide(table, Limit(10, level=True))
    return {cell: None if cell in hidden else value[0] for cell, value in table.cells.items()}


def test_a_small_kind_takes_the_smallest_other_with_it() -> None:
    assert shown({(CITY, "tenant"): 40, (CITY, "hotel_guest"): 25, (CITY, "dormitory"): 3}) == {
        (CITY, "tenant"): 40,
        (CITY, "hotel_guest"): None,
        (CITY, "dormitory"): None,
        (CITY, TOTAL): 68,
    }


def test_ten_and_zero_are_shown_and_nine_is_not() -> None:
    assert shown({(CITY, "tenant"): 10, (CITY, "other"): 0})[CITY, "tenant"] == 10
    assert shown({(CITY, "tenant"): 10, (CITY, "other"): 0})[CITY, "other"] == 0
    assert shown({(CITY, "tenant"): 9})[CITY, TOTAL] is None


def test_small_kinds_without_a_large_one_hide_their_total() -> None:
    assert set(shown({(CITY, "tenant"): 9, (CITY, "other"): 9}).values()) == {None}


def test_a_small_street_takes_another_street_with_it_and_not_the_county() -> None:
    found = shown({("330199001", "tenant"): 5, ("330199002", "tenant"): 40, ("330199003", "tenant"): 70})
    assert found[CITY, "tenant"] == found[CITY, TOTAL] == 115
    assert (found["330199001", TOTAL], found["330199002", TOTAL], found["330199003", TOTAL]) == (None, None, 70)


def test_what_is_counted_at_the_county_itself_is_a_part_too() -> None:
    found = shown({(CITY, "tenant"): 3, ("330199001", "tenant"): 40, ("330199002", "tenant"): 50})
    assert found["330199001", "tenant"] is None
    assert found["330199002", "tenant"] == 50


def test_sums_that_cross_give_nothing() -> None:
    # Each sum has two hidden cells, and yet B of the first street could be reckoned: columns A and C close it in.
    found = shown(
        {
            ("330199001", "tenant"): 5,
            ("330199001", "other"): 300,
            ("330199002", "dormitory"): 4,
            ("330199002", "other"): 310,
            ("330199003", "tenant"): 200,
            ("330199003", "dormitory"): 210,
            ("330199003", "other"): 500,
        }
    )
    known: dict[Name, int] = {cell: value for cell, value in found.items() if value is not None}
    sums = [(whole, tuple((1, each) for each in members)) for whole, members in structure(set(found))]
    assert Known(known, sums).by_algebra() == {}


def structure(cells: set[Key]) -> Iterator[tuple[Key, list[Key]]]:
    """The sums of a table, from its cells alone."""
    divisions = {division for division, _ in cells}
    for division in divisions:
        yield (division, TOTAL), [cell for cell in cells if cell[0] == division and cell[1] != TOTAL]
        parts = [each for each in divisions if each.startswith(division) and len(each) == len(division) + 3]
        if parts:
            for kind in {kind for _, kind in cells}:
                yield (division, kind), [(part, kind) for part in parts if (part, kind) in cells]


def days(chance: random.Random, size: int, number: int) -> Iterator[tuple[Day, dict[Key, int], dict[Key, Flow]]]:
    """Days of a city with streets and communities of very different size."""
    codes = [f"330199{street:03}{community:03}" for street in range(1, 4) for community in range(1, 1 + size)]
    keys = [(code, kind) for code in codes for kind in KINDS if chance.random() < 0.6]
    registered = {key: chance.choice([0, 0, 2, 5, 9, 10, 14, 60, 400]) for key in keys}
    for _ in range(number):
        before, flows = dict(registered), {}
        for key in keys:
            arrivals = chance.choice([0, 0, 0, 0, 1, 2, 8, 11, 30]) if chance.random() < 0.8 else 0
            most = before[key] + arrivals
            departures = min(most, chance.choice([0, 0, 0, 0, 1, 3, 9, 12, 25]))
            late = chance.randint(0, arrivals) if chance.random() < 0.3 else 0
            if arrivals or departures:
                flows[key] = (arrivals, departures, arrivals - late, late)
            registered[key] = most - departures
        yield Day(dict(registered), before, flows), dict(registered), flows


def collect(number: int, day: Day, cells: set[Key], known: dict[Name, int]) -> None:
    """What a reader asks on one day: every division and kind."""
    for cell in cells:
        figures: Figures = day.shown(*cell)
        for measure in ("registered", "arrivals", "departures", "on_time", "late"):
            value = getattr(figures, measure)
            if value is not None:
                known[number, measure, *cell] = value


def all_sums(number: int, cells: set[Key]) -> list[tuple[Name, tuple[tuple[int, Name], ...]]]:
    sums: list[tuple[Name, tuple[tuple[int, Name], ...]]] = []
    for measure in ("registered", "arrivals", "departures", "on_time", "late"):
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


@pytest.mark.parametrize("seed", range(3))
def test_a_differencing_attacker_over_30_published_days_learns_no_small_cell(seed: int) -> None:
    chance = random.Random(seed)
    known: dict[Name, int] = {}
    truth: dict[Name, int] = {}
    sums: list[tuple[Name, tuple[tuple[int, Name], ...]]] = []
    published = list(days(chance, size=seed % 3 + 1, number=30))
    cells = set(Table.of(dict.fromkeys(published[0][1], (1,))).cells)
    for number, (day, registered, flows) in enumerate(published):
        collect(number, day, cells, known)
        sums += all_sums(number, cells)
        for measure, counts in (
            ("registered", {key: (count,) for key, count in registered.items()}),
            *((name, {k: (f[n],) for k, f in flows.items()}) for n, name in enumerate(MOVES)),
        ):
            for cell, value in Table.of(counts).cells.items():
                truth[number, measure, *cell] = value[0]
    small = {name for name, value in truth.items() if 0 < value < 10}
    assert small
    assert not small & known.keys()
    found = Known(known, sums).by_algebra()
    assert {name: value for name, value in found.items() if name in small} == {}
    # It is not all hidden either: most of the city's own figures are shown.
    assert sum((number, "registered", CITY, TOTAL) in known for number in range(30)) > 20


MOVES = ("arrivals", "departures", "on_time", "late")


def test_the_attack_bites() -> None:
    """Without the cells that hide others, the attacker finds small ones: by kinds, by divisions, and by days."""
    known: dict[Name, int] = {
        (0, "registered", CITY, TOTAL): 50,
        (0, "registered", CITY, "tenant"): 45,
        (1, "registered", CITY, "other"): 12,
        (1, "arrivals", CITY, "other"): 7,
        (1, "departures", CITY, "other"): 0,
    }
    cells = {(CITY, TOTAL), (CITY, "tenant"), (CITY, "other")}
    found = Known(known, all_sums(0, cells) + all_sums(1, cells)).by_algebra()
    assert found[0, "registered", CITY, "other"] == 5
    by_days = {name: value for name, value in known.items() if name[0] == 1}
    assert Known(by_days, all_sums(1, cells)).by_algebra()[0, "registered", CITY, "other"] == 5
