"""Persons as they are registered: names of every script, contact, age, and how both are masked on a screen."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from services.registration.domain.documents import Document, Sex
from services.registration.domain.faults import Fault, Faults, Refused
from services.registration.domain.texts import half_width, single_spaced

MIDDLE_DOT = "\N{MIDDLE DOT}"
# What keyboards and fonts offer for the dot between the parts of a name. 民委发〔2016〕33号 (twelve departments on how
# names are recorded), point 1: it is U+00B7 and nothing else.
MIDDLE_DOT_VARIANTS = "\u2022\u2027\u2219\u22c5\u30fb\uff65\u0387\u2e31\u2e33\u16eb\ua78f\u2024\uff61"
DOTS = str.maketrans(dict.fromkeys(MIDDLE_DOT_VARIANTS, MIDDLE_DOT))
# Han: unified, extension A, compatibility, 〇 and 々; planes 2 and 3 whole, since a Python's own character table may be
# older than an extension that an identity card already shows.
HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
# A full stop between two Han characters is a middle dot that the keyboard did not have.
STOP_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])\s*\.\s*(?=[{HAN}])")
SPACED_DOT = re.compile(rf"\s*{MIDDLE_DOT}+\s*")
HAN_CHARACTER = re.compile(rf"[{HAN}]")
# Letters and combining marks of every script, and what stands between the parts of a Latin name (ICAO Doc 9303-3, 4.6).
LETTERS = ("L", "M")
NAME_SIGNS = frozenset(" -'\u2019.," + MIDDLE_DOT)
# Zero-width joiners shape letters in Persian and the Indic scripts.
JOINERS = frozenset("\u200c\u200d")
# Rare characters that a system's own font encodes privately until Unicode has them.
PRIVATE_USE = "Co"
# 民委发〔2016〕33号, point 2: room for at least 25 Han characters; Latin names take more. Beyond this it is a paste.
NAME_LENGTH = 200
# ITU-T E.164: at most 15 digits; the shortest numbers in use (stations, services) have 5.
PHONE = re.compile(r"\+?[0-9]{5,15}")
PHONE_SIGNS = str.maketrans("", "", " -()./")
# 未成年人保护法 (2020) article 2: a minor is under 18.
ADULT_YEARS = 18


@dataclass(frozen=True, slots=True)
class Guardian:
    """Whom to call about a minor, and what the minor and those who share the room are to each other."""

    name: str
    phone: str
    relation: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as registered with one stay."""

    name: str
    document: Document
    birth_date: date | None = None
    sex: Sex | None = None
    phone: str | None = None


def read_person(
    *, name: str, document: Document, birth_date: date | None, sex: Sex | None, phone: str | None, today: date
) -> Person:
    """Check and normalise what was entered beside the document. Raises Refused with a pointer for each field."""
    faults = Faults()
    plain_name = faults.take("", lambda: read_name(name))
    plain_phone = faults.take("", lambda: read_phone(phone)) if phone else None
    facts = faults.take("", lambda: read_facts(document, birth_date, sex, today))
    faults.refuse()
    assert plain_name is not None
    assert facts is not None
    return Person(plain_name, document, *facts, plain_phone)


def read_facts(
    document: Document, birth_date: date | None, sex: Sex | None, today: date
) -> tuple[date | None, Sex | None]:
    """Return birth date and sex, from the number where it passes its check and as given where it does not.

    Raises Refused (`/birth_date`, `/sex`) for what contradicts the number or lies ahead.
    """
    faults = Faults()
    if document.birth_date and birth_date not in (None, document.birth_date):
        faults.add("/birth_date", "contradicts-number")
    elif birth_date and birth_date > today:
        faults.add("/birth_date", "in-the-future")
    if document.sex and sex not in (None, document.sex):
        faults.add("/sex", "contradicts-number")
    faults.refuse()
    return document.birth_date or birth_date, document.sex or sex


def read_name(entered: str) -> str:
    """Return a name in its normal form: half-width Latin, single spaces, every dot between parts U+00B7.

    One character is a name, so are 50 and more, and so is every Han character of every extension.
    Raises Refused (`/name`).
    """
    name = single_spaced(half_width(entered.translate(DOTS)))
    name = SPACED_DOT.sub(MIDDLE_DOT, STOP_BETWEEN_HAN.sub(MIDDLE_DOT, name)).strip(MIDDLE_DOT)
    if not name:
        raise Refused(Fault("/name", "required"))
    if len(name) > NAME_LENGTH:
        raise Refused(Fault("/name", "name-too-long"))
    if not all(_in_a_name(char) for char in name) or not any(_letter(char) for char in name):
        raise Refused(Fault("/name", "name-malformed"))
    return name


def read_phone(entered: str) -> str:
    """Return a phone number as digits, with a leading + where one was given. Raises Refused (`/phone`)."""
    phone = half_width(entered).translate(PHONE_SIGNS)
    if not PHONE.fullmatch(phone):
        raise Refused(Fault("/phone", "phone-malformed"))
    return phone


def is_minor(birth_date: date | None, day: date) -> bool:
    """Tell whether somebody is under 18 on `day`; an unknown birth date is no minor's."""
    if birth_date is None:
        return False
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (not had_birthday) < ADULT_YEARS


def mask_name(name: str) -> str:
    """Return a name for a screen that others can see: 陈*华, 李*, 阿*·买*, SMITH J*."""
    if HAN_CHARACTER.match(name) and MIDDLE_DOT not in name:
        middle = "*" if len(name) < 3 else "*" + name[-1]
        return name[0] + middle if len(name) > 1 else "*"
    dotted = MIDDLE_DOT in name
    parts = name.split(MIDDLE_DOT if dotted else " ")
    first = parts[0] if len(parts) > 1 and not dotted else parts[0][0] + "*"
    return (MIDDLE_DOT if dotted else " ").join([first, *(part[0] + "*" for part in parts[1:] if part)])


def mask_number(number: str) -> str:
    """Return a document number with only its first four and last two characters; short ones keep less."""
    shown_first, shown_last = (4, 2) if len(number) > 9 else (1, 2)
    return number[:shown_first] + "*" * (len(number) - shown_first - shown_last) + number[-shown_last:]


def _letter(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in LETTERS or category == PRIVATE_USE or HAN_CHARACTER.match(char) is not None


def _in_a_name(char: str) -> bool:
    return char in NAME_SIGNS or char in JOINERS or _letter(char)
