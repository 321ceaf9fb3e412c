"""Suppression: by hand, and against a differencing attacker over 30 published days."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from services.reporting.domain import occupancy
from services.reporting.domain.suppression import Hiding, examples, small_cells
from services.reporting.domain.tables import TOTAL, Table
from tests.unit.reporting.attack import Known, Name
from tests.unit.reporting.published import CITY, Key, Published, all_sums, rough_days, structure, town_days


def shown(counts: dict[Key, int]) -> dict[Key, int | None]:
    table = Table.of({key: (count,) for key, count in counts.items()})
    hiding = Hiding(table, set(small := small_cells(table, 10)))
    examples(hiding, small, 10, lambda leaf: table.leaves[leaf][0])
    cells = {cell: value for cell, (value,) in table.cells.items() if not cell[0].endswith("/rest")}
    return {cell: None if cell in hiding.hidden else value for cell, value in cells.items()}


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


def test_sums_that_cross_give_nothing_and_bound_nothing() -> None:
    # Each sum has two hidden cells, and yet B of the first street could be reckoned: columns A and C close it in.
    counts = {
        ("330199001", "tenant"): 5,
        ("330199001", "other"): 300,
        ("330199002", "dormitory"): 4,
        ("330199002", "other"): 310,
        ("330199003", "tenant"): 200,
        ("330199003", "dormitory"): 210,
        ("330199003", "other"): 500,
    }
    found = shown(counts)
    known: dict[Name, int] = {cell: value for cell, value in found.items() if value is not None}
    sums = [(whole, tuple((1, each) for each in members)) for whole, members in structure(set(found))]
    assert Known(known, sums).by_algebra() == {}
    assert Known(known, sums).by_bounds({key for key, count in counts.items() if count < 10}, 10) == {}


@pytest.mark.parametrize("city", ["three communities", "six communities", "a town"])
def test_a_differencing_attacker_over_30_published_days_learns_no_small_cell(city: str) -> None:
    chance = random.Random(len(city))
    if city == "a town":
        days = town_days(chance, 1_000, 30)
    else:
        days = rough_days(chance, communities=1 if city.startswith("three") else 2, number=30)
    published = Published.of(days)
    assert published.small
    assert not published.small & published.shown.keys()
    found = published.known.by_algebra()
    assert {name: value for name, value in found.items() if name in published.small} == {}
    # Of a town's some two thousand small figures each needs programs of its own: as many as fit into a test's time.
    asked = sorted(published.small, key=str)
    assert published.known.by_bounds(chance.sample(asked, min(len(asked), 600)), 10) == {}


def test_a_town_of_3000_still_shows_most_of_its_people() -> None:
    published = Published.of(town_days(random.Random(7), 3_000, 10))
    cells, people = published.share("registered")
    assert (cells > 0.7, people > 0.95) == (True, True), (cells, people)
    cells, people = published.share("arrivals")
    assert (cells > 0.25, people > 0.35) == (True, True), (cells, people)


def bites(published: Published) -> int:
    """How many small figures the bounds tell more closely than they may."""
    return len(published.known.by_bounds(published.small, 10))


def planted() -> Published:
    occupancy._level.cache_clear()
    occupancy._decide.cache_clear()
    return Published.of(rough_days(random.Random(2), communities=2, number=5))


@pytest.fixture(autouse=True)
def _nothing_planted_is_kept() -> Iterator[None]:
    yield
    occupancy._level.cache_clear()
    occupancy._decide.cache_clear()


def test_the_attack_bites_where_days_do_not_absorb_what_hides_who_is_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert bites(planted()) == 0
    monkeypatch.setattr(occupancy, "_absorb", lambda *_: None)
    assert bites(planted()) > 0


def test_the_attack_bites_where_the_other_cells_of_a_sum_are_small_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def algebra_only(hiding: Hiding, cells: Any, _least: int, _fall: Any) -> list[Counter[Key]]:
        """Hides as the first version did: so that no cell is the only unknown one, whatever its bounds are."""
        return examples(hiding, cells, 1, lambda leaf: 10_000)

    monkeypatch.setattr(occupancy, "examples", algebra_only)
    published = planted()
    assert not published.small & published.known.by_algebra().keys()
    assert bites(published) > 0


def test_the_attack_bites_where_lates_are_summed_up_without_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    beds: dict[Key, int] = {("330199001", "tenant"): 400, ("330199002", "tenant"): 600}
    flows = {("330199001", "tenant"): (40, 40, 35, 5), ("330199002", "tenant"): (60, 60, 20, 40)}
    days = [(beds, {}), (beds, flows)]
    assert bites(Published.of(iter(days))) == 0
    occupancy._decide.cache_clear()
    monkeypatch.setattr(
        occupancy, "_hide_timeliness", lambda table, moves, least: moves | set(small_cells(table, least, slice(2, 4)))
    )
    assert bites(Published.of(iter(days))) > 0


def test_a_mark_of_its_own_for_small_cells_would_tell() -> None:
    published = planted()
    asked = random.Random(1).sample(sorted(published.small, key=str), 80)
    assert len(published.known.by_bounds(asked, 9, marked=published.small)) == len(asked)
    # Some of them to the last one.
    assert published.known.by_bounds(asked, 1, marked=published.small)
    assert published.known.by_bounds(asked, 10) == {}


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
