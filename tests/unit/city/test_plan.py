"""The same seed gives the same city; its people's numbers are well formed, nobody's, and each somebody's own."""

from collections import Counter
from datetime import date

import pytest

from anju.city import plan as planning
from anju.city.papers import FAMILY_KINDS
from anju.city.people import check_digit
from anju.city.plan import Plan
from policy import packs

RULES = packs.load().on(date(2026, 11, 24), "330199")
PEOPLE = 4_000


def make(seed: int, premises: int = 300) -> Plan:
    return planning.of_seed(seed, "test", premises, RULES)


@pytest.fixture(scope="module")
def city() -> Plan:
    return make(1)


def test_same_seed_same_city(city: Plan) -> None:
    again, other = make(1), make(2)
    assert again.places == city.places
    assert other.places != city.places
    assert [again.population.person(n) for n in range(200)] == [city.population.person(n) for n in range(200)]
    assert other.population.person(0) != city.population.person(0)
    assert list(again.homes(500)) == list(city.homes(500))


def test_a_person_does_not_depend_on_who_was_asked_for_before(city: Plan) -> None:
    late = make(1).population.person(1_234)
    for number in range(50):
        city.population.person(number)
    assert city.population.person(1_234) == late


def test_numbers_are_valid_unassigned_and_unique(city: Plan) -> None:
    people = [city.population.person(number) for number in range(PEOPLE)]
    numbers = [person["document"]["number"] for person in people]
    assert len(set(numbers)) == PEOPLE
    for person in people:
        document = person["document"]
        if document["kind"] == "passport":
            assert document["number"].startswith("ANJ")
            continue
        number = document["number"]
        assert number[:6] in {"330199", "810199", "820199", "830199", "933999"}
        assert check_digit(number[:17]) == number[17]
        assert number[6:14] == person["birth_date"].replace("-", "")
        assert (int(number[16]) % 2 == 1) == (person["sex"] == "male")
    assert Counter(person["document"]["kind"] for person in people)["resident_id"] > 0.9 * PEOPLE


def test_ages_fit(city: Plan) -> None:
    today = date(2026, 11, 24)
    for number in range(PEOPLE):
        born = date.fromisoformat(city.population.person(number)["birth_date"])
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        assert (5 <= age < 16) if city.population.is_child(number) else (18 <= age < 80)


def test_three_thousand_find_a_bed_and_children_live_with_families(city: Plan) -> None:
    homes = list(city.homes(3_000))
    assert [home.person for home in homes] == list(range(3_000))
    taken = Counter((home.place.number, home.room) for home in homes)
    capacity = {(place.number, room.number): room.capacity for place in city.places for room in place.rooms}
    assert all(count <= capacity[bed] for bed, count in taken.items())
    children = [home for home in homes if city.population.is_child(home.person)]
    assert children
    assert {home.place.kind for home in children} <= set(FAMILY_KINDS)


def test_a_small_city_has_every_kind_of_home() -> None:
    assert {place.kind for place in make(3, premises=10).places} == {
        "hotel",
        "rental",
        "shared_rental",
        "dormitory",
        "site_shed",
        "market",
    }


def test_places_lie_in_the_areas_of_the_stations_that_register_there(city: Plan) -> None:
    for place in city.places:
        assert place.division_code.startswith({"station-01": "330199001", "station-02": "330199002"}[place.station])
        numbers = [room.number for room in place.rooms]
        assert len(set(numbers)) == len(numbers)
