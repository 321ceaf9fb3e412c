"""Owns who may live in the simulated city: for a seed, person number n is always the same person."""

import random
from datetime import date, timedelta
from typing import Any

from anju.city.people import FOREIGN_AREA, HMT_AREAS, RESIDENT_AREA, TODAY, DocumentKind, People, Sex, check_digit

# One in twelve is a child between 6 and 15, about as many as in a city of people who moved there for work.
ONE_CHILD_IN = 12
ADULT_DAYS, CHILD_DAYS = 22_000, 3_560
YOUNGEST_ADULT, YOUNGEST_CHILD = 18, 6
SERIALS = 1_000
# A prime that divides neither number of slots: a walk by it meets every slot once before it meets one again.
STRIDE = 9_999_991
DOCUMENTS: dict[DocumentKind, int] = {"resident_id": 94, "hmt_residence_permit": 2, "passport": 3, "foreign_pr_card": 1}
PASSPORT_COUNTRIES = ("DEU", "EGY", "FRA", "JPN", "KOR", "VNM")


class Population:
    """The people of a seed. No two numbers share a document, up to the first million of passports."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._offset = random.Random(f"{seed}/population").randrange(ADULT_DAYS * SERIALS)

    def is_child(self, number: int) -> bool:
        """Whether this person is between 6 and 15."""
        return number % ONE_CHILD_IN == ONE_CHILD_IN - 1

    def person(self, number: int) -> dict[str, Any]:
        """Person `number` as `POST /api/v1/arrivals` takes one."""
        dice = random.Random(f"{self._seed}/person/{number}")
        born, serial = self._slot(number)
        sex: Sex = "male" if serial % 2 else "female"
        return {
            "name": People(f"{self._seed}/name/{number}").name(rare=0.03),
            "document": self._document(number, born, serial, dice),
            "birth_date": born.isoformat(),
            "sex": sex,
        }

    def guardian(self, number: int) -> dict[str, str]:
        """The guardian of child `number`."""
        return People(f"{self._seed}/guardian/{number}").guardian()

    def _slot(self, number: int) -> tuple[date, int]:
        """A birth date and a serial number that no other person of the same age group has."""
        days, youngest = (CHILD_DAYS, YOUNGEST_CHILD) if self.is_child(number) else (ADULT_DAYS, YOUNGEST_ADULT)
        slot = (self._offset + number * STRIDE) % (days * SERIALS)
        return TODAY - timedelta(days=youngest * 366 + slot // SERIALS), slot % SERIALS

    def _document(self, number: int, born: date, serial: int, dice: random.Random) -> dict[str, Any]:
        kind = dice.choices(list(DOCUMENTS), list(DOCUMENTS.values()))[0]
        if kind == "passport":
            country = dice.choice(PASSPORT_COUNTRIES)
            return {"kind": kind, "number": f"ANJ{number % 10**6:06d}", "issuing_country": country}
        areas = {"resident_id": (RESIDENT_AREA,), "hmt_residence_permit": HMT_AREAS, "foreign_pr_card": (FOREIGN_AREA,)}
        first_17 = f"{dice.choice(areas[kind])}{born:%Y%m%d}{serial:03d}"
        return {"kind": kind, "number": first_17 + check_digit(first_17)}
