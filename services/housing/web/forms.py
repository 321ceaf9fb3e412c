"""The form of new premises: typed texts become the same body that machines send, faults go back to their fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from chassis.web.faults import FieldError, field_errors
from chassis.web.i18n import N_
from services.housing.api.models import MOST_ROOMS, PremisesBody
from services.housing.domain.texts import half_width

# One room a line: number, or first~last number; type; square metres. A hyphen belongs to numbers such as 2-301.
ROOM_LINE = re.compile(
    r"(?P<first>\S+?)(?:\s*~\s*(?P<last>\S+))?\s+(?P<type>\S+)\s+(?P<area>[0-9]+(?:\.[0-9]+)?)\s*m?²?"
)
NUMBERED = re.compile(r"(?P<head>.*?)(?P<digits>[0-9]+)")
# What people call the types, in both languages of the page, beside the codes.
ROOM_WORDS: Mapping[str, str] = {
    "卧室": "bedroom",
    "客房": "bedroom",
    "起居室": "living_room",
    "客厅": "living_room",
    "宿舍": "dormitory",
    "厨房": "kitchen",
    "卫生间": "bathroom",
    "阳台": "balcony",
    "储藏室": "storage",
    "车库": "garage",
    "走廊": "corridor",
    **{
        code: code
        for code in (
            "bedroom",
            "living_room",
            "dormitory",
            "kitchen",
            "bathroom",
            "balcony",
            "storage",
            "garage",
            "corridor",
        )
    },
}
# The body's fields by the form's, where they differ.
OPERATOR_FIELDS = {"operator_kind": "kind", "operator_name": "name", "operator_phone": "phone"}
TEXTS = ("kind", "name", "address", "division_code")
NUMBERS = ("latitude", "longitude")


class FormRefused(Exception):
    """The form cannot be accepted; `errors` maps a field of the form to what is wrong with it."""

    def __init__(self, errors: Mapping[str, FieldError]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of the text field, and from which line each came."""

    rooms: list[dict[str, Any]]
    lines: list[int]


def read(form: Mapping[str, str]) -> tuple[PremisesBody, Rooms]:
    """Return what the form says, as a body. Raises FormRefused."""
    errors: dict[str, FieldError] = {}
    try:
        rooms = read_rooms(form.get("rooms", ""))
    except _BadLine as bad:
        rooms = Rooms([], [])
        errors["rooms"] = FieldError("/rooms", bad.code, bad.message, {"line": bad.line})
    body: dict[str, Any] = {name: form.get(name, "").strip() for name in TEXTS}
    body["division_code"] = half_width(body["division_code"])
    body |= {name: _number(half_width(form.get(name, ""))) for name in NUMBERS}
    body["one_household"] = "one_household" in form
    body["operator_unit"] = form.get("operator_unit") or None
    body["operator"] = {field: form.get(name, "").strip() for name, field in OPERATOR_FIELDS.items()}
    body["rooms"] = rooms.rooms
    try:
        read_body = PremisesBody.model_validate(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        for fault in field_errors([{**each, "loc": ("body", *each["loc"])} for each in faults]):
            errors.setdefault(field_of(fault.pointer), at_line(fault, rooms))
        raise FormRefused(errors) from None
    if errors:
        raise FormRefused(errors)
    return read_body, rooms


def field_of(pointer: str) -> str:
    """Return the form's field for a pointer into the body: `/operator/name` is `operator_name`."""
    first, _, rest = pointer.strip("/").partition("/")
    return f"operator_{rest}" if first == "operator" and rest else first


def at_line(fault: FieldError, rooms: Rooms) -> FieldError:
    """Say the line, where a fault points to one of the rooms."""
    parts = fault.pointer.strip("/").split("/")
    if parts[0] != "rooms" or len(parts) < 2 or not parts[1].isdigit():
        return fault
    line = rooms.lines[int(parts[1])]
    message = AT_LINE["duplicate-room"] if fault.code == "duplicate-room" else AT_LINE["bad-room"]
    return FieldError("/rooms", fault.code, message, {"line": line})


AT_LINE: Mapping[str, str] = {
    "duplicate-room": N_("Line {line}: this room number stands there twice."),
    "bad-room": N_("Line {line}: the number has at most 40 characters, the area is more than 0 and at most 10000 m²."),
    "bad-line": N_("Line {line}: write number, type and square metres, such as 0801 bedroom 20."),
    "unknown-type": N_("Line {line}: there is no such type of room."),
    "bad-range": N_("Line {line}: the last number must follow the first, such as 0801~0816."),
    "too-many": N_("Line {line}: there are too many rooms."),
}


class _BadLine(Exception):
    def __init__(self, code: str, line: int) -> None:
        super().__init__(code)
        self.code, self.line, self.message = code, line, AT_LINE[code]


def read_rooms(text: str) -> Rooms:
    """Return the rooms of a text with one room, or one run of rooms, a line."""
    rooms, lines = [], []
    for at, line in enumerate(half_width(text).splitlines(), start=1):
        if not line.strip():
            continue
        match = ROOM_LINE.fullmatch(line.strip())
        if match is None:
            raise _BadLine("bad-line", at)
        type_ = ROOM_WORDS.get(match["type"].lower())
        if type_ is None:
            raise _BadLine("unknown-type", at)
        for number in _run(match["first"], match["last"], at):
            rooms.append({"number": number, "type": type_, "area_m2": float(match["area"])})
            lines.append(at)
        if len(rooms) > MOST_ROOMS:
            raise _BadLine("too-many", at)
    return Rooms(rooms, lines)


def _run(first: str, last: str | None, line: int) -> list[str]:
    """`0801`, `0816` → the sixteen numbers between them, both included, as wide as the first."""
    if last is None:
        return [first]
    low, high = NUMBERED.fullmatch(first), NUMBERED.fullmatch(last)
    if low is None or high is None or low["head"] != high["head"] or len(low["digits"]) != len(high["digits"]):
        raise _BadLine("bad-range", line)
    start, end = int(low["digits"]), int(high["digits"])
    if not start <= end < start + MOST_ROOMS:
        raise _BadLine("bad-range", line)
    return [f"{low['head']}{number:0{len(low['digits'])}d}" for number in range(start, end + 1)]


def _number(text: str) -> float | str:
    """Return a typed number; what is none stays a text, which the model refuses."""
    try:
        return float(text.strip())
    except ValueError:
        return text
