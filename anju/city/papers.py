"""Owns what the city's desks fill in: arrivals, notices, inspections as the services' APIs take them."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from anju.city.people import wrong_check_digit
from anju.city.places import Place
from anju.city.population import Population
from policy.checklists import Checklist

# Premises' kind: the kind of stay there and its legal basis.
STAYS: Mapping[str, tuple[str, str]] = {
    "rental": ("tenant", "rental_register"),
    "shared_rental": ("tenant", "rental_register"),
    "hotel": ("hotel_guest", "hotel_register"),
    "dormitory": ("dormitory", "worker_housing"),
    "site_shed": ("site_worker", "worker_housing"),
}
FAMILY_KINDS = ("rental", "shared_rental", "hotel")
# One number in a hundred is copied wrongly, one arrival in twenty-five comes after its deadline.
TYPED_WRONGLY, LATE = 0.01, 0.04
HAS_PHONE = 0.3

NOTICES = {"wanted": 3, "missing_person": 2}
INSTRUMENTS = {"wanted": "wanted_order", "missing_person": "missing_report"}
NUMBERS = {"wanted": "云公缉字", "missing_person": "云公寻字"}
INSTRUCTIONS = {
    "wanted": "两名民警到场，先核对证件原件，核实前不采取措施。",
    "missing_person": "当面确认平安，单独询问本人意愿；不愿透露住址的只告知平安。",
}
NOTICE_DAYS = 60

# How visits end: nobody opens, or the inspector is not let in.
OUTCOMES = {"done": 90, "nobody_home": 7, "refused": 3}
# What an inspector looks at in one visit, and how often an item fails.
ITEMS_A_VISIT = 9
FAILS = 0.03
BLOCKED_EXIT = 0.10
EXITS = "fire_exits"


def arrival(
    population: Population, number: int, place: Place, room: str, premises_id: str, at: datetime, dice: random.Random
) -> dict[str, Any]:
    """Person `number` moves in before `at`, mostly by hours; a child in a hotel comes with a guardian's contact."""
    person = population.person(number)
    if person["document"]["kind"] == "resident_id" and dice.random() < TYPED_WRONGLY:
        person["document"]["number"] = wrong_check_digit(person["document"]["number"])
    if dice.random() < HAS_PHONE:
        person["phone"] = f"100{dice.randrange(10**8):08d}"
    kind, basis = STAYS[place.kind]
    back = timedelta(minutes=dice.randrange(1, 600 if kind == "hotel_guest" else 2_000))
    if dice.random() < LATE:
        back += timedelta(days=dice.randrange(4, 15))
    arrived = at - back
    body: dict[str, Any] = {
        "person": person,
        "premises_id": premises_id,
        "room": room,
        "kind": kind,
        "arrived_at": arrived.isoformat(),
        "legal_basis": basis,
    }
    if kind == "hotel_guest":
        body["expected_until"] = (at + timedelta(days=dice.randrange(1, 6))).isoformat()
        if population.is_child(number):
            body["guardian"] = population.guardian(number)
    return body


def is_to_verify(body: Mapping[str, Any], population: Population, number: int) -> bool:
    """Whether the number in an arrival was copied wrongly."""
    return bool(body["person"]["document"]["number"] != population.person(number)["document"]["number"])


def notice(person: Mapping[str, Any], at: datetime, dice: random.Random) -> dict[str, Any]:
    """A notice on one person by document."""
    kind = dice.choices(list(NOTICES), list(NOTICES.values()))[0]
    document = {name: value for name, value in person["document"].items() if name != "valid_until"}
    return {
        "kind": kind,
        "instrument": {
            "kind": INSTRUMENTS[kind],
            "number": f"{NUMBERS[kind]}〔{at:%Y}〕{dice.randrange(1, 10_000):04d} 号",
            "authority": "云汀市公安局",
        },
        "subject": {"document": document},
        "starts_at": at.isoformat(),
        "ends_at": (at + timedelta(days=NOTICE_DAYS)).isoformat(),
        "recipients": ["command-centre"],
        "instructions": INSTRUCTIONS[kind],
    }


def inspection(checklist: Checklist, place: Place, at: datetime, dice: random.Random) -> dict[str, Any]:
    """A visit to premises, with what was found there."""
    outcome = dice.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    codes = [item.code for item in checklist.items(place.kind)]
    others = [code for code in codes if code != EXITS]
    chosen = [code for code in codes if code == EXITS] + dice.sample(others, min(ITEMS_A_VISIT, len(others)))

    def result(code: str) -> str:
        return "fail" if dice.random() < (BLOCKED_EXIT if code == EXITS else FAILS) else "pass"

    return {
        "checklist_version": checklist.version,
        "entry_basis": "consent",
        "outcome": outcome,
        "inspected_at": at.isoformat(),
        "items": [{"item": code, "result": result(code)} for code in chosen] if outcome == "done" else [],
    }
