"""Inspections: what of a visit is refused, which severity a failure gets, and what it changes of the hazards."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.checklists import Checklist, HazardSeverity, Item
from services.housing.domain.faults import Refused
from services.housing.domain.hazards import AlreadyCleared, Hazard, after_visit, clear
from services.housing.domain.inspections import Finding, Inspection, ItemResult, Visit, inspect

NOW = datetime(2026, 11, 24, 2, 44, tzinfo=UTC)
ID = UUID("0192d8a0-0000-7000-8000-000000000001")
KINDS = ("rental", "hotel")
# Invented, so that the test does not follow the packs.
CHECKLIST = Checklist(
    "7",
    {
        "exits": Item("exits", "出口", "Exits", "serious", KINDS, "test"),
        "wiring": Item("wiring", "线路", "Wiring", "minor", KINDS, "test"),
        "plan": Item("plan", "示意图", "Plan", "minor", ("hotel",), "test"),
    },
)


def visit(*items: Finding, **changed: object) -> Visit:
    return replace(Visit("7", "consent", "done", NOW, items), **changed)  # type: ignore[arg-type]


def recorded(at: datetime, *items: Finding) -> Inspection:
    return inspect(ID, ID, "rental", visit(*items, inspected_at=at), CHECKLIST, at)


def ids() -> Iterator[UUID]:
    number = 0
    while True:
        number += 1
        yield UUID(int=number)


@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        (visit(), [("/items", "missing")]),
        (visit(Finding("plan", "pass")), [("/items/0/item", "unknown-item")]),
        (visit(Finding("exits", "fail", "minor")), [("/items/0/severity", "severity-lowered")]),
        (visit(Finding("exits", "pass", "serious")), [("/items/0/severity", "severity-without-failure")]),
        (visit(Finding("exits", "pass"), Finding("exits", "fail")), [("/items/1/item", "duplicate-item")]),
        (visit(Finding("exits", "pass"), checklist_version="6"), [("/checklist_version", "not-in-force")]),
        (
            visit(Finding("exits", "pass"), inspected_at=NOW + timedelta(minutes=6)),
            [("/inspected_at", "in-the-future")],
        ),
    ],
)
def test_what_cannot_be_is_refused(typed: Visit, faults: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as refused:
        inspect(ID, ID, "rental", typed, CHECKLIST, NOW)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == faults


@pytest.mark.parametrize("outcome", ["nobody_home", "refused"])
def test_who_was_not_let_in_has_looked_at_nothing(outcome: str) -> None:
    assert inspect(ID, ID, "rental", visit(outcome=outcome), CHECKLIST, NOW).items == ()


def test_a_failure_has_the_packs_severity_or_a_graver_one() -> None:
    done = recorded(NOW, Finding("exits", "fail"), Finding("wiring", "fail", "imminent", "  裸线 "))
    assert [finding.severity for finding in done.items] == ["serious", "imminent"]
    assert done.items[1].note == "裸线"


def test_a_hazard_is_found_once_becomes_graver_and_is_cleared_by_a_later_pass() -> None:
    new = ids()
    first = after_visit((), recorded(NOW, Finding("exits", "fail")), {}, lambda: next(new))
    present = first.applied_to(())
    later = NOW + timedelta(days=1)
    again = after_visit(
        present, recorded(later, Finding("exits", "fail", "imminent")), {"exits": NOW}, lambda: next(new)
    )
    assert (again.found, again.raised[0].hazard_id) == ((), present[0].hazard_id)
    graver = again.applied_to(present)
    assert (graver[0].severity, graver[0].found_at) == ("imminent", NOW)
    lesser = after_visit(graver, recorded(later, Finding("exits", "fail")), {"exits": later}, lambda: next(new))
    assert lesser.applied_to(graver) == graver
    gone = after_visit(graver, recorded(later, Finding("exits", "pass")), {"exits": later}, lambda: next(new))
    assert [hazard.cleared_at for hazard in gone.cleared] == [later]
    assert gone.applied_to(graver) == ()


def test_what_was_not_looked_at_stays() -> None:
    present = (Hazard(ID, "exits", "serious", NOW),)
    later = recorded(NOW + timedelta(1), Finding("wiring", "pass"), Finding("exits", "not_applicable"))
    assert after_visit(present, later, {"exits": NOW}, ids().__next__).applied_to(present) == present


def test_a_hazard_is_cleared_once_and_not_before_it_was_found() -> None:
    cleared = clear(Hazard(ID, "exits", "serious", NOW), NOW - timedelta(minutes=2))
    assert cleared.cleared_at == NOW
    with pytest.raises(AlreadyCleared):
        clear(cleared, NOW)


RESULTS = st.sampled_from(["pass", "fail", "not_applicable"])
LOOKS = st.lists(st.tuples(RESULTS, st.sampled_from([None, "serious", "imminent"])), min_size=1, max_size=6)


@given(LOOKS, st.randoms(use_true_random=False))
def test_visits_in_any_order_leave_open_what_the_last_look_failed(
    looks: list[tuple[ItemResult, HazardSeverity | None]], shuffled: Random
) -> None:
    visits = [
        recorded(NOW + timedelta(hours=at), Finding("exits", result, severity if result == "fail" else None))
        for at, (result, severity) in enumerate(looks)
    ]
    seen = [result for result, _ in looks if result != "not_applicable"]
    shuffled.shuffle(visits)
    new = ids()
    present: tuple[Hazard, ...] = ()
    looked: dict[str, datetime] = {}
    for each in visits:
        present = after_visit(present, each, looked, lambda: next(new)).applied_to(present)
        if each.items[0].result != "not_applicable":
            looked["exits"] = max(looked.get("exits", each.inspected_at), each.inspected_at)
        assert len(present) <= 1
    assert bool(present) is (seen[-1:] == ["fail"])
