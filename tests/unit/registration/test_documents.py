"""Documents: what is well-formed, what passes its check, and what only waits to be read again."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.documents import (
    CHECK_CHARACTERS,
    Document,
    DocumentKind,
    Misread,
    Sex,
    check_character,
    like_another_kind,
    read_document,
)
from services.registration.domain.faults import Fault, Refused
from tests.people import typed_badly

TODAY = date(2026, 11, 24)
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=TODAY)
SERIALS = st.integers(min_value=0, max_value=999)
EIGHTEEN = [DocumentKind.RESIDENT_ID, DocumentKind.HMT_RESIDENCE_PERMIT, DocumentKind.FOREIGN_PR_CARD]
PLACES = {
    DocumentKind.RESIDENT_ID: st.just("330199"),
    DocumentKind.HMT_RESIDENCE_PERMIT: st.sampled_from(["810199", "820199", "830199"]),
    DocumentKind.FOREIGN_PR_CARD: st.just("933999"),
}
# GB 11643-1999, annex A: the standard's own examples.
FROM_THE_STANDARD = ["11010519491231002X", "440524188001010014"]


def read(kind: DocumentKind, number: str, country: str | None = None, until: date | None = None) -> Document:
    return read_document(kind, number, issuing_country=country, valid_until=until, today=TODAY)


def refusal(kind: DocumentKind, number: str, country: str | None = None) -> list[Fault]:
    with pytest.raises(Refused) as refused:
        read(kind, number, country)
    return list(refused.value.faults)


def numbered(place: str, born: date, serial: int) -> str:
    first_17 = f"{place}{born:%Y%m%d}{serial:03d}"
    return first_17 + check_character(first_17)


@pytest.mark.parametrize("number", FROM_THE_STANDARD)
def test_examples_of_the_standard_have_the_check_character_that_they_print(number: str) -> None:
    assert check_character(number[:17]) == number[17]


@pytest.mark.parametrize("kind", EIGHTEEN)
@given(data=st.data(), born=DAYS, serial=SERIALS)
def test_a_right_number_says_birth_date_and_sex(
    kind: DocumentKind, data: st.DataObject, born: date, serial: int
) -> None:
    number = numbered(data.draw(PLACES[kind]), born, serial)
    document = read(kind, number)
    assert not document.to_verify
    assert document.birth_date == born
    assert document.sex is (Sex.MALE if serial % 2 else Sex.FEMALE)
    assert document.issuing_country == "CHN"
    for typed in typed_badly(number):
        if len(typed.strip()) >= 18 and typed.count(number[:6]) < 2:
            assert read(kind, typed) == document


@pytest.mark.parametrize("kind", EIGHTEEN)
@given(data=st.data(), born=DAYS, serial=SERIALS)
def test_one_misread_character_never_passes(kind: DocumentKind, data: st.DataObject, born: date, serial: int) -> None:
    number = numbered(data.draw(PLACES[kind]), born, serial)
    # The leading characters tell the kind; another one there is another kind, not a misread number.
    position = data.draw(st.integers(min_value=2 if kind is not DocumentKind.RESIDENT_ID else 0, max_value=17))
    others = (CHECK_CHARACTERS if position == 17 else "0123456789").replace(number[position], "")
    misread = number[:position] + data.draw(st.sampled_from(others)) + number[position + 1 :]
    document = read(kind, misread)
    assert document.to_verify
    assert document.birth_date is None
    assert document.sex is None


@given(born=DAYS, serial=SERIALS, position=st.integers(min_value=6, max_value=15))
def test_two_swapped_digits_never_pass(born: date, serial: int, position: int) -> None:
    number = numbered("330199", born, serial)
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    assert read(DocumentKind.RESIDENT_ID, swapped).to_verify is (swapped != number)


@pytest.mark.parametrize("date_block", ["19900231", "19901301", "20270101", "18000101", "00000000"])
def test_a_date_that_cannot_be_is_to_verify_and_says_which_block(date_block: str) -> None:
    first_17 = f"330199{date_block}001"
    number = first_17 + check_character(first_17)
    assert read(DocumentKind.RESIDENT_ID, number).misread is Misread.DATE


def test_a_wrong_check_character_is_to_verify_and_says_so() -> None:
    assert read(DocumentKind.RESIDENT_ID, "330199199002130010").misread is Misread.CHECK_DIGIT


def test_fifteen_digits_are_refused_with_their_reason() -> None:
    assert refusal(DocumentKind.RESIDENT_ID, "330199900213001") == [Fault("/number", "fifteen-digit-number")]
    assert refusal(DocumentKind.FOREIGN_PR_CARD, "CAN330199900213") == [Fault("/number", "fifteen-character-card")]


@pytest.mark.parametrize(
    "number",
    [
        "",
        "X",
        "33019919900213001",
        "3301991990021300100",
        "33019919900213001A",
        "X30199199002130010",
        "３３０",
        "٣" * 18,
    ],
)
def test_any_other_shape_is_refused(number: str) -> None:
    assert [fault.pointer for fault in refusal(DocumentKind.RESIDENT_ID, number)] == ["/number"]


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (DocumentKind.HMT_RESIDENCE_PERMIT, "330199"),
        (DocumentKind.HMT_RESIDENCE_PERMIT, "840000"),
        (DocumentKind.FOREIGN_PR_CARD, "330199"),
    ],
)
def test_a_number_of_another_kind_is_refused(kind: DocumentKind, place: str) -> None:
    number = numbered(place, date(1990, 2, 13), 1)
    assert refusal(kind, number) == [Fault("/number", "number-of-another-kind")]


@pytest.mark.parametrize("place", ["000000", "710000", "999999"])
def test_places_are_never_looked_up(place: str) -> None:
    assert not read(DocumentKind.RESIDENT_ID, numbered(place, date(1990, 2, 13), 1)).to_verify


@pytest.mark.parametrize("typed", ["E12345678", "e1234 5678", "Ｅ１２３４５６７８", "E1234-5678", "E12345678<"])
def test_a_passport_number_has_one_form_however_it_is_typed(typed: str) -> None:
    document = read(DocumentKind.PASSPORT, typed, "kor", date(2030, 1, 1))
    assert (document.number, document.issuing_country) == ("E12345678", "KOR")
    assert not document.to_verify
    assert (document.birth_date, document.sex) == (None, None)


@pytest.mark.parametrize("typed", ["E123456789", "E12", "E1234?678", "Ü1234567", ""])
def test_a_passport_number_of_another_shape_is_refused(typed: str) -> None:
    assert refusal(DocumentKind.PASSPORT, typed, "KOR") == [Fault("/number", "passport-number-malformed")]


def test_the_issuing_country_belongs_to_passports() -> None:
    assert refusal(DocumentKind.PASSPORT, "E12345678") == [Fault("/issuing_country", "issuing-country-required")]
    assert refusal(DocumentKind.PASSPORT, "E12345678", "KO") == [Fault("/issuing_country", "issuing-country-malformed")]
    number = numbered("330199", date(1990, 2, 13), 1)
    assert refusal(DocumentKind.RESIDENT_ID, number, "KOR") == [Fault("/issuing_country", "issuing-country-not-chn")]
    assert read(DocumentKind.RESIDENT_ID, number, "CHN") == read(DocumentKind.RESIDENT_ID, number)


@pytest.mark.parametrize("kind", list(DocumentKind))
@given(number=st.text(max_size=40), country=st.none() | st.text(max_size=5))
def test_no_text_makes_it_fail(kind: DocumentKind, number: str, country: str | None) -> None:
    with suppress(Refused):
        document = read(kind, number, country)
        assert document.number.isascii()
        assert document.issuing_country.isascii()


@pytest.mark.parametrize(
    ("kind", "place", "like"),
    [
        (DocumentKind.RESIDENT_ID, "330199", None),
        (DocumentKind.RESIDENT_ID, "830199", DocumentKind.HMT_RESIDENCE_PERMIT),
        (DocumentKind.RESIDENT_ID, "933999", DocumentKind.FOREIGN_PR_CARD),
        (DocumentKind.HMT_RESIDENCE_PERMIT, "830199", None),
    ],
)
def test_a_residents_number_that_begins_as_a_permits_is_advice_only(
    kind: DocumentKind, place: str, like: DocumentKind | None
) -> None:
    document = read(kind, numbered(place, date(1990, 2, 13), 7))
    assert like_another_kind(document) is like
    assert not document.to_verify
