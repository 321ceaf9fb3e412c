"""Names of every script, phones, ages, and what a screen shows of them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.documents import Document, DocumentKind, Sex
from services.registration.domain.faults import Refused
from services.registration.domain.persons import (
    MIDDLE_DOT_VARIANTS,
    is_minor,
    mask_name,
    mask_number,
    read_facts,
    read_name,
    read_phone,
)
from tests.people import People

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    "name",
    [
        "赵",
        "陈华",
        "𠮷田",  # extension B
        "李䶮",
        "〇一",
        "\U00031350\U000323af",  # extension H, newer than Python 3.11's own table
        "\U0002ebf0",  # extension I
        "NGUYỄN THỊ MINH KHAI",
        "María José O’Neill-Åström",
        "O'Brien, Jr.",
        "阿·买·提",
        "买" * 60,
        "محمد",
        "नमिता",
    ],
)
def test_names_of_every_script_stay_as_they_are(name: str) -> None:
    assert read_name(name) == name


def test_generated_people_have_names() -> None:
    people = People(7)
    for _ in range(200):
        name = people.name(rare=0.5)
        assert read_name(name) == name
        assert name not in (mask_name(name),)


@given(dot=st.sampled_from([*MIDDLE_DOT_VARIANTS, "·", ".", "．", " · ", "··"]))
def test_every_dot_between_the_parts_of_a_name_is_one_dot(dot: str) -> None:
    assert read_name(f"阿依古丽{dot}买买提") == "阿依古丽·买买提"


def test_a_latin_full_stop_stays() -> None:
    assert read_name("John F. Smith") == "John F. Smith"


@pytest.mark.parametrize(
    ("typed", "name"),
    [("　陈　华 ", "陈 华"), ("ＳＭＩＴＨ  ＪＯＨＮ", "SMITH JOHN"), ("阿依古丽 · 买买提·", "阿依古丽·买买提")],
)
def test_width_and_spaces_are_normalised(typed: str, name: str) -> None:
    assert read_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("  ", "required"),
        ("·", "required"),
        ("330199199002130010", "name-malformed"),
        ("陈华1", "name-malformed"),
        ("陈\u202e华", "name-malformed"),
        ("<b>", "name-malformed"),
        ("-", "name-malformed"),
        ("陈" * 201, "name-too-long"),
    ],
)
def test_what_is_no_name_is_refused(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_name(typed)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/name", code)]


@given(st.text(max_size=250))
def test_a_normal_form_is_its_own_normal_form(typed: str) -> None:
    try:
        name = read_name(typed)
    except Refused:
        return
    assert read_name(name) == name
    assert mask_name(name)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("陈华", "陈*"),
        ("陈大华", "陈*华"),
        ("欧阳大华", "欧*华"),
        ("赵", "*"),
        ("阿依古丽·买买提", "阿*·买*"),
        ("SMITH JOHN PAUL", "SMITH J* P*"),
        ("Plato", "P*"),
    ],
)
def test_names_are_masked(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"), [("33019919900213001X", "3301************1X"), ("E12345678", "E******78"), ("A1234", "A**34")]
)
def test_numbers_are_masked(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.parametrize(
    ("typed", "phone"),
    [("138 0013 8000", "13800138000"), ("+86-571-8888-8888", "+8657188888888"), ("（０５７１）88888", "057188888")],
)
def test_phones_are_normalised(typed: str, phone: str) -> None:
    assert read_phone(typed) == phone


@pytest.mark.parametrize("typed", ["12", "1" * 16, "phone", "+", "13800138000x"])
def test_what_is_no_phone_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        read_phone(typed)


@pytest.mark.parametrize(
    ("born", "day", "minor"),
    [
        (date(2008, 11, 24), TODAY, False),
        (date(2008, 11, 25), TODAY, True),
        (date(2008, 2, 29), date(2026, 2, 28), True),
        (date(2008, 2, 29), date(2026, 3, 1), False),
        (None, TODAY, False),
    ],
)
def test_a_minor_is_under_eighteen_on_the_day(born: date | None, day: date, minor: bool) -> None:
    assert is_minor(born, day) is minor


def test_a_passing_number_gives_birth_date_and_sex_and_is_not_contradicted() -> None:
    document = Document(DocumentKind.RESIDENT_ID, "…", "CHN", birth_date=date(1990, 2, 13), sex=Sex.MALE)
    assert read_facts(document, None, None, TODAY) == (date(1990, 2, 13), Sex.MALE)
    assert read_facts(document, date(1990, 2, 13), Sex.MALE, TODAY) == (date(1990, 2, 13), Sex.MALE)
    with pytest.raises(Refused) as refused:
        read_facts(document, date(1990, 2, 14), Sex.FEMALE, TODAY)
    assert [fault.pointer for fault in refused.value.faults] == ["/birth_date", "/sex"]


def test_beside_a_number_to_verify_what_is_given_is_kept() -> None:
    document = Document(DocumentKind.PASSPORT, "E12345678", "KOR")
    assert read_facts(document, date(1990, 2, 14), Sex.FEMALE, TODAY) == (date(1990, 2, 14), Sex.FEMALE)
    assert read_facts(document, None, None, TODAY) == (None, None)
    with pytest.raises(Refused):
        read_facts(document, date(2026, 11, 25), None, TODAY)
