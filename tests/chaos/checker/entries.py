"""What terminals were told against what the tables hold: nothing lost, nothing twice, nothing that nobody entered."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.chaos.checker.evidence import Evidence, Row
from tests.chaos.checker.findings import Finding, Kind
from tests.chaos.checker.told import Facts, Operation, by_what, read

Signature = Hashable


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind of request that makes one row, which is recognised by what only this request said."""

    what: str
    table: str
    id_column: str
    of_row: Callable[[Row], Signature]
    of_facts: Callable[[Facts], Signature]


def instant(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text)


ENTRIES = (
    Entry(
        "arrival", "registration.stays", "stay_id",
        lambda row: (row["premises_id"], instant(row["arrived_at"])),
        lambda facts: (facts["premises_id"], instant(facts["arrived_at"])),
    ),
    Entry("premises", "housing.premises", "premises_id", lambda row: row["address"], lambda facts: facts["address"]),
    Entry(
        "inspection", "housing.inspections", "inspection_id",
        lambda row: (row["premises_id"], instant(row["inspected_at"])),
        lambda facts: (facts["premises_id"], instant(facts["inspected_at"])),
    ),
    Entry(
        "notice", "alerts.notice_terms", "notice_id",
        lambda row: json.loads(row["content"])["instrument"]["number"],
        lambda facts: facts["instrument"],
    ),
)  # fmt: skip


def check(evidence: Evidence) -> Iterator[Finding]:
    """Compare journal and tables."""
    told = by_what(read(evidence.journal))
    for entry in ENTRIES:
        yield from _made(entry, told[entry.what], evidence.table(entry.table))
    for operations in told.values():
        yield from _same_answers(operations)
    yield from _departures(told["departure"], evidence.table("registration.stays"))
    yield from _corrections(told["correction"], evidence.table("registration.corrections"))
    yield from _hazards(told, evidence)
    yield from _decisions(told, evidence)


def _made(entry: Entry, operations: Iterable[Operation], rows: Iterable[Row]) -> Iterator[Finding]:
    found: dict[Signature, list[Row]] = defaultdict(list)
    for row in rows:
        found[entry.of_row(row)].append(row)
    possible = set()
    for operation in operations:
        signature = entry.of_facts(operation.facts)
        if operation.possible:
            possible.add(signature)
        if operation.done and not found.get(signature):
            yield Finding("lost", entry.table, f"{entry.what} {operation.n} was answered and is not stored")
        ids = {row[entry.id_column] for row in found.get(signature, ())}
        if operation.done and ids and operation.answer[entry.id_column] not in ids:
            yield Finding("invented", entry.table, f"{entry.what} {operation.n} is stored under another id than told")
    for signature, same in found.items():
        if len(same) > 1:
            yield Finding(
                "doubled", entry.table, f"{entry.what} {same[0][entry.id_column]} is stored {len(same)} times"
            )
        if signature not in possible:
            yield Finding("invented", entry.table, f"{same[0][entry.id_column]} was entered by nobody")


def _same_answers(operations: Iterable[Operation]) -> Iterator[Finding]:
    """A repeated request gets the first answer, and none is refused as one that the database cannot hold."""
    for operation in operations:
        if any(answer.get("type") == "urn:anju:problem:not-storable" for _, _, answer in operation.answers):
            yield Finding(
                "lost", "answers", f"{operation.what} {operation.n} was refused, and nothing is wrong with it"
            )
        different = {json.dumps(answer, sort_keys=True) for _, status, answer in operation.answers if status < 300}
        if len(different) > 1:
            yield Finding("doubled", "answers", f"{operation.what} {operation.n} was answered in two ways")
        if operation.done and any(status >= 300 for _, status, _ in operation.answers):
            yield Finding("doubled", "answers", f"{operation.what} {operation.n} was taken and refused")


def _departures(operations: Iterable[Operation], stays: Iterable[Row]) -> Iterator[Finding]:
    departed = {row["stay_id"]: row["departed_at"] and instant(row["departed_at"]) for row in stays}
    possible = set()
    for operation in operations:
        stay_id, at = operation.facts["stay_id"], instant(operation.facts["departed_at"])
        if operation.possible:
            possible.add((stay_id, at))
        if operation.done and stay_id in departed and departed[stay_id] != at:
            yield Finding("lost", "registration.stays", f"departure {operation.n} was answered; {stay_id} is open")
    for stay_id, at in departed.items():
        if at is not None and (stay_id, at) not in possible:
            yield Finding("invented", "registration.stays", f"nobody entered that {stay_id} departed")


def _corrections(operations: Iterable[Operation], rows: Iterable[Row]) -> Iterator[Finding]:
    stored = Counter((row["stay_id"], row["field"]) for row in rows)
    done: Counter[tuple[str, str]] = Counter()
    possible: Counter[tuple[str, str]] = Counter()
    for operation in operations:
        place = (operation.facts["stay_id"], operation.facts["field"])
        done[place] += operation.done
        possible[place] += operation.possible
    for place in stored.keys() | possible.keys():
        where, what = "registration.corrections", f"{place[1]} of {place[0]}"
        if stored[place] < done[place]:
            yield Finding("lost", where, f"{what}: {done[place]} answered, {stored[place]} stored")
        if stored[place] > possible[place]:
            kind: Kind = "doubled" if possible[place] else "invented"
            yield Finding(kind, where, f"{what}: {possible[place]} entered, {stored[place]} stored")


def _hazards(told: dict[str, list[Operation]], evidence: Evidence) -> Iterator[Finding]:
    """Which items of which premises have an open hazard, as terminals were told."""
    where = "housing.hazards"
    rows = [row for row in evidence.table(where) if row["cleared_at"] is None]
    stored = Counter((row["premises_id"], row["item"]) for row in rows)
    unsure = {
        operation.facts["premises_id"]
        for operation in (*told["inspection"], *told["clearance"])
        if operation.possible and not operation.done
    }
    visits = sorted((each for each in (*told["inspection"], *told["clearance"]) if each.done), key=lambda o: o.done_at)
    expected = _open_items(visits)
    for place in expected | stored.keys():
        if place[0] in unsure:
            continue
        what = f"{place[1]} of {place[0]}"
        if place in expected and not stored[place]:
            yield Finding("lost", where, f"{what} was found and is not open")
        if place not in expected:
            yield Finding("invented", where, f"{what} is open and was not found, or was cleared")
        if stored[place] > 1:
            yield Finding("doubled", where, f"{what} is open {stored[place]} times")


def _open_items(visits: Iterable[Operation]) -> set[tuple[str, str]]:
    """Premises and items with a hazard. Of two looks at an item the later one counts, in whatever order they came."""
    found: set[tuple[str, str]] = set()
    looked_at: dict[tuple[str, str], datetime] = {}
    for visit in visits:
        premises_id = visit.facts["premises_id"]
        if visit.what == "clearance":
            place = (premises_id, visit.facts["item"])
            found.discard(place)
            looked_at[place] = visit.begun_at
            continue
        at = instant(visit.facts["inspected_at"])
        for item, result in visit.facts["items"].items():
            place = (premises_id, item)
            if place in looked_at and at < looked_at[place]:
                continue
            looked_at[place] = at
            (found.add if result == "fail" else found.discard)(place)
    return found


def _decisions(told: dict[str, list[Operation]], evidence: Evidence) -> Iterator[Finding]:
    """Approvals and withdrawals: a notice is active, or ended, exactly when somebody decided so."""
    notices = {row["notice_id"]: row for row in evidence.table("alerts.notices")}
    for what, right in (("approval", ("active", "ended")), ("withdrawal", ("ended",))):
        possible = {operation.facts["notice_id"] for operation in told[what] if operation.possible}
        for operation in told[what]:
            notice = notices.get(operation.facts["notice_id"])
            if operation.done and notice is not None and notice["state"] not in right:
                yield Finding("lost", "alerts.notices", f"{what} {operation.n} was answered; it is {notice['state']}")
        for notice_id, notice in notices.items():
            if (
                notice["state"] in right
                and notice_id not in possible
                and (what, notice["state"]) != ("approval", "ended")
            ):
                yield Finding("invented", "alerts.notices", f"nobody entered the {what} of {notice_id}")
