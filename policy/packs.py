"""Loads the rule packs, refuses bad ones at start, and answers which rules are in force where and when."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from policy import (
    calendar,
    capacity,
    checklists,
    conditions,
    deadlines,
    division_names,
    notices,
    retention,
    severities,
    suppression,
)
from policy.reading import BadPack, Value, read_file, two_languages

__all__ = ["COUNTRY", "BadPack", "NoRule", "Packs", "Rules", "load"]

PACKS: Final = Path(__file__).parent / "packs"
# A pack's district: the whole country, or a prefix of division codes (GB/T 2260).
COUNTRY: Final = "CN"
DEADLINES, CAPACITY, NOTICES, SEVERITIES, CHECKLIST, CONDITIONS, SUPPRESSION, RETENTION, DIVISIONS, WORKING_DAYS = (
    IDS
) = (
    "registration_deadlines",
    "capacity",
    "notice_terms",
    "severities",
    "inspection_checklist",
    "condition_rules",
    "suppression",
    "retention",
    "division_names",
    "working_days",
)
_HEAD = ("id", "version", "title", "source", "district", "effective_from", "effective_to", "values")
_END_OF_TIME = date.max
# Of packs whose values need nothing beside them.
_READERS: Final[Mapping[str, Callable[[Value], object]]] = {
    CAPACITY: capacity.read,
    NOTICES: notices.read,
    SEVERITIES: severities.read,
    CONDITIONS: conditions.read,
    SUPPRESSION: suppression.read,
    RETENTION: retention.read,
    DIVISIONS: division_names.read,
}
# Put together from every pack of their kind, so that a place without one is no fault.
_MERGED: Final = (DIVISIONS, WORKING_DAYS)


class NoRule(LookupError):
    """No pack of this kind is in force on that day in that district."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One file: its head, and its values still unread. `effective_to` is the last day in force."""

    id: str
    version: str
    title: tuple[str, str]
    source: str
    district: str
    effective_from: date
    effective_to: date
    whole: Value
    values: Value

    def holds(self, day: date, district: str) -> bool:
        """Whether the pack is in force on a day in a district."""
        return self.effective_from <= day <= self.effective_to and (
            self.district == COUNTRY or district.startswith(self.district)
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What is in force on one day in one district; `versions` names the pack version behind each part."""

    day: date
    district: str
    deadlines: deadlines.Deadlines
    capacity: capacity.Capacity
    notices: notices.NoticeTerms
    severities: severities.Severities
    checklist: checklists.Checklist
    conditions: conditions.Conditions
    suppression: suppression.Suppression
    retention: retention.Retention
    calendar: calendar.Calendar
    versions: tuple[tuple[str, str], ...]


class Packs:
    """All packs of a folder, checked. Answers are kept, so asking per event costs a look-up."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.all = tuple(sorted(packs, key=lambda pack: (pack.id, pack.district, pack.effective_from)))
        self.on = lru_cache(maxsize=1024)(self._on)
        self.division_names = lru_cache(maxsize=1024)(self._division_names)

    def _on(self, day: date, district: str) -> Rules:
        """The rules in force on `day` (a date of Asia/Shanghai) in `district` (a division code or its prefix).

        The pack of the narrowest district wins; raises NoRule where none is in force.
        """
        found = {id_: self._in_force(id_, day, district) for id_ in IDS if id_ not in _MERGED}
        days = self._calendar(district)
        return Rules(
            day=day,
            district=district,
            deadlines=deadlines.read(found[DEADLINES].values, days),
            capacity=capacity.read(found[CAPACITY].values),
            notices=notices.read(found[NOTICES].values),
            severities=severities.read(found[SEVERITIES].values),
            checklist=checklists.read(found[CHECKLIST].version, found[CHECKLIST].values),
            conditions=conditions.read(found[CONDITIONS].values),
            suppression=suppression.read(found[SUPPRESSION].values),
            retention=retention.read(found[RETENTION].values),
            calendar=days,
            versions=tuple((id_, f"{pack.district}/{pack.version}") for id_, pack in found.items()),
        )

    def begins(self, district: str) -> date:
        """The first day on which every part is in force in `district`; before it `on` raises NoRule."""
        held = [pack for pack in self.all if pack.holds(pack.effective_from, district)]
        return max(min(pack.effective_from for pack in held if pack.id == id_) for id_ in IDS if id_ not in _MERGED)

    def _division_names(self, day: date) -> division_names.Names:
        """What divisions were called on `day`, as far as packs name them; the narrowest district's pack wins."""
        held = [pack for pack in self.all if pack.id == DIVISIONS and pack.holds(day, pack.district)]
        found: dict[str, tuple[str, str]] = {}
        for pack in sorted(held, key=lambda pack: len(pack.district)):
            found |= division_names.read(pack.values)
        return found

    def checklist(self, version: str) -> checklists.Checklist:
        """The checklist of a version, in force or not, to show what an older inspection looked at.

        Raises checklists.UnknownVersion.
        """
        for pack in self.all:
            if (pack.id, pack.version) == (CHECKLIST, version):
                return checklists.read(version, pack.values)
        raise checklists.UnknownVersion(f"no checklist has the version {version!r}")

    def _in_force(self, id_: str, day: date, district: str) -> Pack:
        candidates = [pack for pack in self.all if pack.id == id_ and pack.holds(day, district)]
        if not candidates:
            raise NoRule(f"no pack {id_} is in force on {day} in {district}")
        return max(candidates, key=lambda pack: 0 if pack.district == COUNTRY else len(pack.district))

    def _calendar(self, district: str) -> calendar.Calendar:
        return calendar.merge(
            (pack.effective_from, *calendar.read(pack.values, pack.effective_from, pack.effective_to))
            for pack in self.all
            if pack.id == WORKING_DAYS and pack.holds(pack.effective_from, district)
        )


def _read_pack(file: Path) -> Pack:
    whole = read_file(file)
    head = whole.record(_HEAD)
    district = head["district"].text()
    if district != COUNTRY and not (district.isdecimal() and district.isascii() and 2 <= len(district) <= 12):
        raise head["district"].refuse(f"{COUNTRY} or a prefix of division codes is expected")
    first = head["effective_from"].day()
    last = _END_OF_TIME if head["effective_to"].is_null() else head["effective_to"].day()
    if last < first:
        raise head["effective_to"].refuse("is before effective_from")
    pack = Pack(
        id=head["id"].one_of(IDS),
        version=head["version"].text(),
        title=two_languages(head["title"]),
        source=head["source"].text(),
        district=district,
        effective_from=first,
        effective_to=last,
        whole=whole,
        values=head["values"],
    )
    _try_values(pack)
    return pack


def _try_values(pack: Pack) -> None:
    """Reads the values once, so that a mistake shows at start and not on the day it matters."""
    if pack.id == WORKING_DAYS:
        if pack.effective_from.year != pack.effective_to.year:
            raise pack.whole.refuse("a calendar of working days covers one year")
        calendar.read(pack.values, pack.effective_from, pack.effective_to)
    elif pack.id == DEADLINES:
        deadlines.read(pack.values, calendar.merge(()))
    elif pack.id == CHECKLIST:
        checklists.read(pack.version, pack.values)
    else:
        _READERS[pack.id](pack.values)


def _refuse_overlaps(packs: Packs) -> None:
    for one, other in pairwise(packs.all):
        if (one.id, one.district) == (other.id, other.district) and other.effective_from <= one.effective_to:
            raise other.whole.refuse(f"overlaps in time with {one.whole.file.name}, for the same id and district")


def _refuse_a_version_twice(packs: Packs) -> None:
    """An inspection keeps its checklist's version alone: it must name one text, whatever the district."""
    named: dict[str, Pack] = {}
    for pack in packs.all:
        if pack.id == CHECKLIST and named.setdefault(pack.version, pack) is not pack:
            other = named[pack.version].whole.file.name
            raise pack.whole.refuse(f"{other} is a checklist of version {pack.version} too")


def load(directory: Path | None = None) -> Packs:
    """Reads and checks every pack of a folder (Anju's own by default); raises BadPack with file, line and why."""
    folder = directory or PACKS
    files = sorted(folder.glob("*.yaml"))
    packs = Packs([_read_pack(file) for file in files])
    for id_ in IDS:
        if not any(pack.id == id_ for pack in packs.all):
            raise BadPack(folder, 0, f"no pack with id {id_} in {folder}")
    _refuse_overlaps(packs)
    _refuse_a_version_twice(packs)
    return packs
