"""The invented people: right check digits, nobody's numbers, the same from the same seed."""

from datetime import date

import pytest

from tests.people import DOCUMENT_KINDS, People, check_digit, typed_badly, wrong_check_digit

# The worked examples of GB 11643-1999, annex A.
STANDARD_EXAMPLES = ("11010519491231002X", "440524188001010014")


@pytest.mark.parametrize("number", STANDARD_EXAMPLES)
def test_check_digits_are_those_of_the_standard(number: str) -> None:
    assert check_digit(number[:17]) == number[17]


def test_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert People(7).people(20) == People(7).people(20)
    assert People(7).people(20) != People(8).people(20)


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_no_number_is_given_twice_and_none_is_real(kind: str) -> None:
    people = People(3)
    numbers = [people.person(kind)["document"]["number"] for _ in range(2000)]  # type: ignore[arg-type]
    assert len(set(numbers)) == 2000
    assert all(number.startswith(("330199", "810199", "820199", "830199", "933999", "ANJ")) for number in numbers)


def test_number_carries_birth_date_and_sex() -> None:
    number = People(1).resident_id(date(1999, 2, 28), "female")
    assert number[6:14] == "19990228"
    assert int(number[16]) % 2 == 0


def test_wrong_check_digit_is_wrong() -> None:
    people = People(5)
    for _ in range(200):
        number = people.resident_id()
        wrong = wrong_check_digit(number)
        assert wrong[:17] == number[:17]
        assert wrong[17] != number[17]


def test_typed_badly_keeps_the_number() -> None:
    number = "33019919900101001X"
    for typed in typed_badly(number):
        narrow = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in typed)
        assert "".join(narrow.split()).upper() == number


def test_minor_is_a_minor() -> None:
    people = People(2)
    ages = [(date(2026, 11, 1) - date.fromisoformat(people.minor()["birth_date"])).days / 365.25 for _ in range(100)]
    assert min(ages) > 5.9
    assert max(ages) < 16
