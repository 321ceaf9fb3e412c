"""The organisation's tree of units and their areas, as its file says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNIT_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CODE = re.compile(r"[a-z][a-z0-9_]*")
# A prefix of a division code: province (2) to community (12 digits), GB/T 2260 and GB/T 10114.
AREA = re.compile(r"[0-9]{2,12}")
FIELDS = frozenset({"id", "name", "kind", "parent", "areas", "roles"})


class BadUnits(ValueError):
    """The units' file cannot be used; the text says which unit and why."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: police station, community office, operator, desk or department."""

    unit_id: str
    name_zh: str
    name_en: str
    kind: str
    parent: str | None
    areas: tuple[str, ...]
    roles: tuple[str, ...]


def read_units(entries: Sequence[Mapping[str, Any]]) -> tuple[Unit, ...]:
    """Read the units' file, parents before children. Raises BadUnits."""
    units: dict[str, Unit] = {}
    for entry in entries:
        unit = _read_unit(entry)
        if unit.unit_id in units:
            raise BadUnits(f"{unit.unit_id} stands there twice")
        if unit.parent is not None and unit.parent not in units:
            raise BadUnits(f"{unit.unit_id}: its parent {unit.parent} does not stand before it")
        units[unit.unit_id] = unit
    if not units:
        raise BadUnits("there is no unit")
    return tuple(units.values())


def _read_unit(entry: Mapping[str, Any]) -> Unit:
    unit_id = entry.get("id")
    if not isinstance(unit_id, str) or not UNIT_ID.fullmatch(unit_id):
        raise BadUnits(f"{unit_id!r} is no unit id")
    name, kind = entry.get("name"), entry.get("kind")
    if unknown := set(entry) - FIELDS:
        raise BadUnits(f"{unit_id}: unknown field {sorted(unknown)[0]}")
    if not isinstance(name, Mapping) or not all(isinstance(name.get(lang), str) for lang in ("zh", "en")):
        raise BadUnits(f"{unit_id}: a name has zh and en")
    if not isinstance(kind, str) or not CODE.fullmatch(kind):
        raise BadUnits(f"{unit_id}: {kind!r} is no kind")
    areas = _list(unit_id, entry, "areas", AREA)
    roles = _list(unit_id, entry, "roles", CODE)
    return Unit(unit_id, name["zh"], name["en"], kind, entry.get("parent"), areas, roles)


def _list(unit_id: str, entry: Mapping[str, Any], name: str, shape: re.Pattern[str]) -> tuple[str, ...]:
    values = entry.get(name, [])
    for value in values:
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise BadUnits(f"{unit_id}: {value!r} is none of its {name} (write codes in quotes)")
    return tuple(values)
