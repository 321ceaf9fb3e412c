"""The form of new premises: typed texts become the same body that machines send, faults go back to their fields."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from chassis.web.faults import FieldError, field_errors
from chassis.web.forms import Form
from chassis.web.i18n import N_
from services.housing.api.models import MOST_ROOMS, PremisesBody
from services.housing.domain.premises import RoomType
from services.housing.domain.texts import half_width

# One room a line: number, or first~last number; type; square metres. A hyphen belongs to numbers such as 2-301.
ROOM_LINE = re.compile(
    r"(?P<first>\S+?)(?:\s*~\s*(?P<last>\S+))?\s+(?P<type>\S+)\s+(?P<area>[0-9]+(?:\.[0-9]+)?)\s*m?²?"
)
NUMBERED = re.compile(r"(?P<head>.*?)(?P<digits>[0-9]+)")
ROOM_TYPES: tuple[str, ...] = get_args(RoomType)
# What people call the types, beside the codes.
ROOM_WORDS: Mapping[str, str] = {code: code for code in ROOM_TYPES} | {
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
}
AT_LINE: Mapping[str, str] = {
    "duplicate-room": N_("Line {line}: this room number stands there twice."),
    "bad-room": N_("Line {line}: the number has at most 40 characters, the area is more than 0 and at most 10000 m²."),
    "bad-line": N_("Line {line}: write number, type and square metres, such as 0801 bedroom 20."),
    "unknown-type": N_("Line {line}: there is no such type of room."),
    "bad-range": N_("Line {line}: the last number must follow the first, such as 0801~0816."),
    "too-many": N_("Line {line}: there are too many rooms."),
}


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of the text field, and from which line each came."""

    rooms: list[dict[str, Any]]
    lines: list[int]


class BadLine(Exception):
    """A line of the rooms' field cannot be read. Says which and why, never what it holds."""

    def __init__(self, code: str, line: int) -> None:
        super().__init__(f"{code} in line {line}")
        self.error = FieldError("/rooms", code, AT_LINE[code], {"line": line})


def read(form: Form) -> tuple[PremisesBody, Rooms] | None:
    """Return what the form says, as a body; or None with the faults noted in the form."""
    rooms = Rooms([], [])
    try:
        rooms = read_rooms(form["rooms"])
    except BadLine as bad:
        form.add([bad.error])
    operator = {name: form[f"operator.{name}"].strip() for name in ("kind", "name", "phone")}
    typed = {name: form[name].strip() for name in ("kind", "name", "address", "operator_unit")} | {
        "division_code": half_width(form["division_code"]).strip(),
        "latitude": _number(form["latitude"]),
        "longitude": _number(form["longitude"]),
    }
    try:
        body = PremisesBody.model_validate(
            {
                **_given(typed),
                "one_household": bool(form["one_household"]),
                "operator": _given(operator),
                "rooms": rooms.rooms,
            }
        )
    except ValidationError as error:
        note(form, field_errors([{**each, "loc": ("form", *each["loc"])} for each in error.errors()]), rooms)
        return None
    return None if form.errors else (body, rooms)


def note(form: Form, errors: Iterable[FieldError], rooms: Rooms) -> None:
    """Note faults of the body at the form's fields; those of a room at its line."""
    form.add(_at_line(error, rooms) for error in errors)


def _at_line(error: FieldError, rooms: Rooms) -> FieldError:
    first, _, rest = error.pointer.strip("/").partition("/")
    at = rest.partition("/")[0]
    if first != "rooms" or not at.isdigit():
        return error
    message = AT_LINE.get(error.code, AT_LINE["bad-room"])
    return FieldError("/rooms", error.code, message, {"line": rooms.lines[int(at)]})


def read_rooms(text: str) -> Rooms:
    """Return the rooms of a text with one room, or one run of rooms, a line. Raises BadLine."""
    rooms: list[dict[str, Any]] = []
    lines: list[int] = []
    for at, line in enumerate(half_width(text).splitlines(), start=1):
        if not line.strip():
            continue
        match = ROOM_LINE.fullmatch(line.strip())
        if match is None:
            raise BadLine("bad-line", at)
        type_ = ROOM_WORDS.get(match["type"].lower())
        if type_ is None:
            raise BadLine("unknown-type", at)
        for number in _run(match["first"], match["last"], at):
            rooms.append({"number": number, "type": type_, "area_m2": float(match["area"])})
            lines.append(at)
        if len(rooms) > MOST_ROOMS:
            raise BadLine("too-many", at)
    return Rooms(rooms, lines)


def _run(first: str, last: str | None, line: int) -> list[str]:
    """`0801`, `0816` → the sixteen numbers between them, both included, as wide as the first."""
    if last is None:
        return [first]
    low, high = NUMBERED.fullmatch(first), NUMBERED.fullmatch(last)
    if low is None or high is None or low["head"] != high["head"] or len(low["digits"]) != len(high["digits"]):
        raise BadLine("bad-range", line)
    start, end = int(low["digits"]), int(high["digits"])
    if not start <= end < start + MOST_ROOMS:
        raise BadLine("bad-range", line)
    return [f"{low['head']}{number:0{len(low['digits'])}d}" for number in range(start, end + 1)]


def _given(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what was left empty: it is missing, not too short."""
    return {name: value for name, value in typed.items() if value != ""}


def _number(text: str) -> float | str:
    """Return a typed number; what is none stays a text, which the model refuses."""
    typed = half_width(text).strip()
    try:
        return float(typed)
    except ValueError:
        return typed
