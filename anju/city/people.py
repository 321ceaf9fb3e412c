"""Invented people and documents from a seed; no number made here can be anybody's.

Resident numbers lie in area 330199, which was never assigned; the other kinds carry places and countries that do not
exist, and passports a form that no country uses. Check digits are right, by GB 11643-1999 (MOD 11-2 of ISO 7064).
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any, Final, Literal

Sex = Literal["female", "male"]
DocumentKind = Literal["resident_id", "hmt_residence_permit", "foreign_pr_card", "passport"]
DOCUMENT_KINDS: Final[tuple[DocumentKind, ...]] = (
    "resident_id",
    "hmt_residence_permit",
    "foreign_pr_card",
    "passport",
)

RESIDENT_AREA: Final = "330199"
# Hong Kong, Macao and Taiwan permits begin with 810000, 820000 and 830000; "0199" after the region is nobody's.
HMT_AREAS: Final = ("810199", "820199", "830199")
# A permanent resident's card: 9, province, country in three digits; 999 is no country in ISO 3166.
FOREIGN_AREA: Final = "933999"
# Ages are counted from here, so that a seed gives the same people in every year.
TODAY: Final = date(2026, 11, 1)

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文辉志宇浩然子涵梓萱雨欣一诺"
# Extension characters (also outside the basic plane), the middle dot, one character, long and Latin names: the ones
# that careless software loses.
_RARE = (
    "𠮷田",
    "李䶮",
    "王㛃",
    "张𬎆",
    "陈赟喆",
    "欧阳㵘",
    "上官婉儿",
    "阿依古丽·买买提",
    "迪丽努尔·阿卜杜热合曼",
    "扎西",
    "央",
    "买合木提江·阿不都热依木·吐尔逊江·买买提依明·阿卜杜克里木",
    "NGUYỄN THỊ MINH KHAI",
    "María José O’Neill-Åström",
    "Müller",
    "Li",
)
_PASSPORT_COUNTRIES = ("KOR", "VNM", "DEU", "FRA", "BRA", "EGY", "USA", "JPN")


def check_digit(first_17: str) -> str:
    """The 18th character of a number (GB 11643-1999): 0 to 9 or X."""
    total = sum(int(digit) * (2 ** (17 - index) % 11) for index, digit in enumerate(first_17))
    return "10X98765432"[total % 11]


def wrong_check_digit(number: str) -> str:
    """The same number with another, and so wrong, last character."""
    right = check_digit(number[:17])
    return number[:17] + ("1" if right == "0" else "0")


def typed_badly(number: str) -> list[str]:
    """Ways in which people type a number that is right: small x, full-width, with blanks."""
    wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
    return [number.lower(), wide, f" {number[:6]} {number[6:14]} {number[14:]} ", f"{number[:6]}\u3000{number[6:]}"]


class People:
    """A stream of invented people; the same seed gives the same people, and no number twice."""

    def __init__(self, seed: int | str = 1) -> None:
        self._random = random.Random(seed)
        self._seen: set[str] = set()

    def name(self, *, rare: float = 0.1) -> str:
        """A name; with probability `rare` one of those that careless software loses."""
        if self._random.random() < rare:
            return self._random.choice(_RARE)
        length = self._random.choice((1, 2, 2))
        return self._random.choice(_SURNAMES) + "".join(self._random.choices(_GIVEN, k=length))

    def sex(self) -> Sex:
        """Either."""
        return self._random.choice(("female", "male"))

    def birth_date(self, *, youngest: int = 18, oldest: int = 80) -> date:
        """A birth date of somebody of that age on TODAY, in whole years."""
        days = self._random.randrange((oldest - youngest) * 365)
        return TODAY - timedelta(days=youngest * 366 + days)

    def resident_id(self, birth_date: date | None = None, sex: Sex | None = None) -> str:
        """An 18-character resident identity number of area 330199."""
        return self._numbered(RESIDENT_AREA, birth_date, sex)

    def hmt_residence_permit(
        self, birth_date: date | None = None, sex: Sex | None = None, region: Literal["81", "82", "83"] | None = None
    ) -> str:
        """A residence permit's number of Hong Kong (81), Macao (82) or Taiwan (83) residents."""
        area = f"{region}0199" if region else self._random.choice(HMT_AREAS)
        return self._numbered(area, birth_date, sex)

    def foreign_pr_card(self, birth_date: date | None = None, sex: Sex | None = None) -> str:
        """A foreign permanent resident card's number (the 18-digit form, beginning with 9)."""
        return self._numbered(FOREIGN_AREA, birth_date, sex)

    def passport(self) -> str:
        """A passport number of nine characters (ICAO 9303), in a form that no country uses."""
        return self._unique(lambda: f"ANJ{self._random.randrange(10**6):06d}")

    def document(
        self,
        kind: DocumentKind = "resident_id",
        birth_date: date | None = None,
        sex: Sex | None = None,
        *,
        valid_until: date | None = None,
    ) -> dict[str, Any]:
        """A document as `POST /api/v1/arrivals` takes it."""
        if kind == "passport":
            country = self._random.choice(_PASSPORT_COUNTRIES)
            document: dict[str, Any] = {"kind": kind, "number": self.passport(), "issuing_country": country}
        else:
            make = {
                "resident_id": self.resident_id,
                "hmt_residence_permit": self.hmt_residence_permit,
                "foreign_pr_card": self.foreign_pr_card,
            }[kind]
            document = {"kind": kind, "number": make(birth_date, sex)}
        if valid_until is not None:
            document["valid_until"] = valid_until.isoformat()
        return document

    def person(
        self, kind: DocumentKind = "resident_id", *, youngest: int = 18, oldest: int = 80, rare: float = 0.1
    ) -> dict[str, Any]:
        """A person as `POST /api/v1/arrivals` takes one: name, document, birth date, sex, all consistent."""
        born = self.birth_date(youngest=youngest, oldest=oldest)
        sex = self.sex()
        return {
            "name": self.name(rare=rare),
            "document": self.document(kind, born, sex),
            "birth_date": born.isoformat(),
            "sex": sex,
        }

    def people(self, n: int, kind: DocumentKind = "resident_id") -> list[dict[str, Any]]:
        """That many people, all with different documents."""
        return [self.person(kind) for _ in range(n)]

    def minor(self) -> dict[str, Any]:
        """A child between 6 and 15."""
        return self.person(youngest=6, oldest=15)

    def guardian(self, relation: str = "parent") -> dict[str, str]:
        """A guardian's contact as `POST /api/v1/arrivals` takes it; the phone's prefix belongs to no network."""
        return {"name": self.name(), "phone": f"100{self._random.randrange(10**8):08d}", "relation": relation}

    def _numbered(self, area: str, birth_date: date | None, sex: Sex | None) -> str:
        born = birth_date or self.birth_date()
        odd = 1 if (sex or self.sex()) == "male" else 0

        def make() -> str:
            first_17 = f"{area}{born:%Y%m%d}{self._random.randrange(500) * 2 + odd:03d}"
            return first_17 + check_digit(first_17)

        return self._unique(make)

    def _unique(self, make: Any) -> str:
        # 500 serials a day and sex: a stream asked for more of one day than exist must fail, not hang.
        for _ in range(10_000):
            number = str(make())
            if number not in self._seen:
                self._seen.add(number)
                return number
        raise RuntimeError("no unused number is left for this birth date and sex")
