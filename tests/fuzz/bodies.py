"""A sound body for every call that takes one: where hostile ones begin from."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fuzz.fuzzed import Ids
from tests.people import DOCUMENT_KINDS, People

PEOPLE = People("fuzz")


def _time(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def _one(choice: random.Random, ids: Ids, name: str) -> str:
    known = ids.of.get(name) or ["01936000-0000-7000-8000-0000000000ff"]
    # Mostly one of the newest, which nobody has closed or withdrawn yet.
    return choice.choice(known[-8:] if choice.random() < 0.7 else known)


def _person(choice: random.Random) -> dict[str, Any]:
    return PEOPLE.person(choice.choice(DOCUMENT_KINDS), youngest=2)


def _arrival(choice: random.Random, ids: Ids) -> dict[str, Any]:
    body = {
        "person": _person(choice),
        "premises_id": _one(choice, ids, "premises_id"),
        "room": choice.choice(["0801", "0802", "1"]),
        "kind": choice.choice(["hotel_guest", "tenant", "dormitory"]),
        "arrived_at": _time(minutes=1),
        "legal_basis": "hotel_register",
    }
    if choice.random() < 0.4:
        body["guardian"] = {"name": PEOPLE.name(), "phone": "13800000000", "relation": "母亲"}
    if choice.random() < 0.3:
        body["expected_until"] = _time(days=-3)
    return body


def _correction(choice: random.Random, ids: Ids) -> dict[str, Any]:
    person = _person(choice)
    values = {
        "name": person["name"],
        "document": person["document"],
        "birth_date": person["birth_date"],
        "sex": person["sex"],
        "phone": "13800000001",
        "guardian": None,
        "room": "0802",
        "arrived_at": _time(minutes=2),
        "expected_until": _time(days=-2),
        "departed_at": _time(seconds=1),
        "legal_basis": "rental_register",
    }
    name = choice.choice(list(values))
    return {"field": name, "value": values[name], "reason": "证件重新核对"}


def _lookup(choice: random.Random, ids: Ids) -> dict[str, Any]:
    if choice.random() < 0.5:
        return {"premises_id": _one(choice, ids, "premises_id"), "room": "0801"}
    return {"document": _person(choice)["document"]}


def _premises(choice: random.Random, ids: Ids) -> dict[str, Any]:
    return {
        "kind": choice.choice(["rental", "hotel", "dormitory"]),
        "name": "青年公寓 2 幢",
        "address": "柳堤街道青年路 26 号 2 幢",
        "division_code": "330199001002",
        "latitude": 30.25,
        "longitude": 120.17,
        "one_household": False,
        "operator_unit": "hotel-01",
        "rooms": [{"number": "101", "type": "bedroom", "area_m2": 12.5}],
        "operator": {"kind": "person", "name": PEOPLE.name(), "phone": "138 0000 0000"},
    }


def _inspection(choice: random.Random, ids: Ids) -> dict[str, Any]:
    item = {"item": "fire_exits", "result": choice.choice(["pass", "fail"]), "note": "2 层东侧走道停放电动自行车"}
    body = {"checklist_version": "1", "entry_basis": "consent", "outcome": "done", "inspected_at": _time(minutes=1)}
    return {**body, "items": [item]}


def _notice(choice: random.Random, ids: Ids) -> dict[str, Any]:
    return {
        "kind": "wanted",
        "instrument": {"kind": "arrest_approval", "number": "云检捕〔2026〕0144 号", "authority": "云汀市人民检察院"},
        "subject": {"document": _person(choice)["document"] | {"valid_until": None}, "name": PEOPLE.name()},
        "starts_at": _time(),
        "ends_at": _time(days=-30),
        "recipients": ["command-centre"],
        "instructions": "两名民警到场；先核对证件原件。",
    }


def _notice_without_valid_until(choice: random.Random, ids: Ids) -> dict[str, Any]:
    body = _notice(choice, ids)
    del body["subject"]["document"]["valid_until"]
    return body


def _reason(choice: random.Random, ids: Ids) -> dict[str, Any]:
    return {"reason": "核对无误"}


BODIES: dict[str, Callable[[random.Random, Ids], dict[str, Any]]] = {
    "/api/v1/arrivals": _arrival,
    "/api/v1/stays/{stay_id}/departure": lambda choice, ids: {"departed_at": _time()},
    "/api/v1/stays/{stay_id}/corrections": _correction,
    "/api/v1/stays/lookup": _lookup,
    "/api/v1/premises-stubs": lambda choice, ids: {
        "kind": "rental",
        "address": "柳堤街道无名路 1 号",
        "division_code": "330199001",
    },
    "/api/v1/matching-tokens": lambda choice, ids: {"document": _person(choice)["document"]},
    "/api/v1/premises": _premises,
    "/api/v1/premises/{premises_id}/completion": _premises,
    "/api/v1/premises/{premises_id}/inspections": _inspection,
    "/api/v1/premises/{premises_id}/letters": lambda choice, ids: {"letter_version": "1"},
    "/api/v1/premises/{premises_id}/closures": lambda choice, ids: {"reason": "消防通道堵塞", "confirm_headcount": 0},
    "/api/v1/premises/{premises_id}/reopenings": _reason,
    "/api/v1/hazards/{hazard_id}/clearances": lambda choice, ids: {"note": "已搬离"},
    "/api/v1/notices": _notice_without_valid_until,
    "/api/v1/notices/{notice_id}/renewal": lambda choice, ids: {"ends_at": _time(days=-60)},
    "/api/v1/notices/{notice_id}/withdrawal": lambda choice, ids: {"reason": "已到案", "why": "withdrawn"},
    "/api/v1/notices/{notice_id}/suspension": _reason,
    "/api/v1/notices/{notice_id}/lifting": _reason,
    "/api/v1/alerts/{alert_id}/acknowledgement": _reason,
    "/api/v1/alerts/{alert_id}/verification": lambda choice, ids: {"result": "true_match", "reason": "证件核对一致"},
    "/api/v1/alerts/{alert_id}/closure": lambda choice, ids: {"outcome": "resolved", "reason": "已移交"},
    "/api/v1/alerts/{alert_id}/reopening": _reason,
    "/api/v1/alerts/{alert_id}/escalation": _reason,
    "/api/v1/alerts/{alert_id}/notes": lambda choice, ids: {"text": "已电话联系前台"},
}


def sound(path: str, addressed: dict[str, str], choice: random.Random, ids: Ids) -> dict[str, Any]:
    """Return a body for an address; `addressed` are the ids already chosen for it."""
    if path == "/api/v1/notices/{notice_id}/approval":
        return {"content_hash": ids.hashes.get(addressed["notice_id"], "0" * 64)}
    return BODIES[path](choice, ids)
