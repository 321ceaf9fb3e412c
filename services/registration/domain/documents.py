"""Identity documents: which numbers are well-formed, which pass their check, and what a number says by itself."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.registration.domain.faults import Faults
from services.registration.domain.texts import half_width, without_spaces


class DocumentKind(StrEnum):
    """The documents by which somebody is registered."""

    RESIDENT_ID = "resident_id"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    FOREIGN_PR_CARD = "foreign_pr_card"
    PASSPORT = "passport"


class Sex(StrEnum):
    """The sex as the document states it."""

    FEMALE = "female"
    MALE = "male"


class Misread(StrEnum):
    """Why an 18-character number waits to be verified; it tells which part of the document to read again."""

    DATE = "date"
    CHECK_DIGIT = "check_digit"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as entered, in normal form.

    `birth_date` and `sex` are what the number itself says; None for passports and for numbers to verify.
    """

    kind: DocumentKind
    number: str
    issuing_country: str
    valid_until: date | None = None
    birth_date: date | None = None
    sex: Sex | None = None
    misread: Misread | None = None

    @property
    def to_verify(self) -> bool:
        """Whether the number fails its own check: it is kept, and matches nothing until somebody has read it again."""
        return self.misread is not None


CHINA = "CHN"
ALPHA_3 = re.compile(r"[A-Z]{3}")

# GB 11643-1999: 6 digits of place, 8 of birth date, 3 of serial, one check character.
EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
# The weight of position i (from the left, 1 to 17) is 2^(18-i) mod 11.
WEIGHTS = tuple(pow(2, 18 - position, 11) for position in range(1, 18))
# The check character for each remainder 0 to 10 (ISO 7064 MOD 11-2).
CHECK_CHARACTERS = "10X98765432"
# Nobody is known to have lived to 123; a date further back was misread.
OLDEST_YEARS = 130

# How the 18 characters begin. Hong Kong 810000, Macao 820000, Taiwan 830000: 国办发〔2018〕81号, article 3.
# The foreign permanent resident card of the 2023 form begins with 9 and has the same check (国家移民管理局, 2023).
PREFIXES = {
    DocumentKind.RESIDENT_ID: ("",),
    DocumentKind.HMT_RESIDENCE_PERMIT: ("81", "82", "83"),
    DocumentKind.FOREIGN_PR_CARD: ("9",),
}

# ICAO Doc 9303-4: the number takes positions 1 to 9 of the machine readable zone's lower line, letters and digits.
# Our own lower bound: states print six and more; five leaves room, and stops a slip of the keyboard.
PASSPORT = re.compile(r"[A-Z0-9]{5,9}")
# Doc 9303-3: signs and spaces within the number become the filler `<`. Without them, typed and machine-read agree.
PASSPORT_FILLERS = str.maketrans("", "", "-<")


def read_document(
    kind: DocumentKind, number: str, *, issuing_country: str | None, valid_until: date | None, today: date
) -> Document:
    """Bring an entered document into its normal form and check it.

    Lower-case x, full-width characters and spaces are normalised. Place and country digits are never looked up.
    Raises Refused with pointers `/number` and `/issuing_country`.
    """
    faults = Faults()
    country = _country(kind, issuing_country, faults)
    plain = without_spaces(half_width(number)).upper()
    misread = None
    if kind is DocumentKind.PASSPORT:
        plain = plain.translate(PASSPORT_FILLERS)
        if not PASSPORT.fullmatch(plain):
            faults.add("/number", "passport-number-malformed")
    elif code := _malformed(kind, plain):
        faults.add("/number", code)
    else:
        misread = _misread(plain, today)
    faults.refuse()
    if kind is DocumentKind.PASSPORT or misread is not None:
        return Document(kind, plain, country, valid_until, misread=misread)
    return Document(kind, plain, country, valid_until, birth_date=birth_date_of(plain), sex=sex_of(plain))


def like_another_kind(document: Document) -> DocumentKind | None:
    """Return the permit whose numbers begin as this resident's number does: advice to look again, never a refusal."""
    if document.kind is not DocumentKind.RESIDENT_ID:
        return None
    permits = (DocumentKind.HMT_RESIDENCE_PERMIT, DocumentKind.FOREIGN_PR_CARD)
    return next((kind for kind in permits if document.number.startswith(PREFIXES[kind])), None)


def check_character(first_17: str) -> str:
    """Return the check character of the first 17 digits (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, WEIGHTS, strict=True))
    return CHECK_CHARACTERS[total % 11]


def birth_date_of(number: str) -> date | None:
    """Return the birth date in positions 7 to 14, or None where there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> Sex:
    """Return the sex by the serial's last digit, odd for men (GB 11643-1999)."""
    return Sex.MALE if int(number[16]) % 2 else Sex.FEMALE


def _country(kind: DocumentKind, entered: str | None, faults: Faults) -> str:
    country = without_spaces(half_width(entered or "")).upper()
    if kind is not DocumentKind.PASSPORT:
        if country not in ("", CHINA):
            faults.add("/issuing_country", "issuing-country-not-chn")
        return CHINA
    if not country:
        faults.add("/issuing_country", "issuing-country-required")
    elif not ALPHA_3.fullmatch(country):
        faults.add("/issuing_country", "issuing-country-malformed")
    return country


def _malformed(kind: DocumentKind, number: str) -> str | None:
    if len(number) == 15 and number.isascii() and number.isalnum():
        # Residents' numbers before GB 11643-1999 had 15 digits, foreigners' cards before 2023 three letters and 12.
        return "fifteen-digit-number" if number.isdigit() else "fifteen-character-card"
    if not EIGHTEEN.fullmatch(number):
        return "number-malformed"
    if not number.startswith(PREFIXES[kind]):
        return "number-of-another-kind"
    return None


def _misread(number: str, today: date) -> Misread | None:
    born = birth_date_of(number)
    if born is None or born > today or born.year < today.year - OLDEST_YEARS:
        return Misread.DATE
    if check_character(number[:17]) != number[17]:
        return Misread.CHECK_DIGIT
    return None
