"""Inspections: a visit, what it found item by item, and what of it is refused."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from policy.checklists import Checklist, HazardSeverity, SeverityLowered, UnknownItem
from services.housing.domain.faults import Fault, Refused
from services.housing.domain.texts import single_spaced

EntryBasis = Literal["consent", "certificate", "emergency"]
Outcome = Literal["done", "nobody_home", "refused"]
ItemResult = Literal["pass", "fail", "not_applicable"]

# Clocks of phones differ; the same allowance as for an arrival (interfaces.md, codes).
CLOCK_ALLOWANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at one item; `severity` is of a failure alone."""

    item: str
    result: ItemResult
    severity: HazardSeverity | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """An inspection as typed; a severity stands where the inspector raised the pack's."""

    checklist_version: str
    entry_basis: EntryBasis
    outcome: Outcome
    inspected_at: datetime
    items: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """A recorded inspection: never changed, only followed by another."""

    inspection_id: UUID
    premises_id: UUID
    checklist_version: str
    entry_basis: EntryBasis
    outcome: Outcome
    inspected_at: datetime
    recorded_at: datetime
    items: tuple[Finding, ...]


def inspect(
    inspection_id: UUID, premises_id: UUID, kind: str, visit: Visit, checklist: Checklist, now: datetime
) -> Inspection:
    """Return the inspection, each failure with its severity by the checklist. Raises Refused with every fault.

    `checklist` is the one in force on the day of the visit. Nobody home and entry refused may have looked at nothing;
    what can be seen from outside is taken with them.
    """
    faults = []
    if visit.inspected_at > now + CLOCK_ALLOWANCE:
        faults.append(Fault("/inspected_at", "in-the-future"))
    if visit.checklist_version != checklist.version:
        faults.append(Fault("/checklist_version", "not-in-force"))
    elif not visit.items and visit.outcome == "done":
        faults.append(Fault("/items", "missing"))
    else:
        faults.extend(_item_faults(visit.items, kind, checklist))
    if faults:
        raise Refused(*faults)
    return Inspection(
        inspection_id=inspection_id,
        premises_id=premises_id,
        checklist_version=visit.checklist_version,
        entry_basis=visit.entry_basis,
        outcome=visit.outcome,
        inspected_at=visit.inspected_at,
        recorded_at=now,
        items=tuple(_settled(finding, kind, checklist) for finding in visit.items),
    )


def _item_faults(items: Sequence[Finding], kind: str, checklist: Checklist) -> list[Fault]:
    faults: list[Fault] = []
    seen: Counter[str] = Counter()
    for at, finding in enumerate(items):
        seen[finding.item] += 1
        if seen[finding.item] > 1:
            faults.append(Fault(f"/items/{at}/item", "duplicate-item"))
        elif finding.result != "fail" and finding.severity is not None:
            faults.append(Fault(f"/items/{at}/severity", "severity-without-failure"))
        else:
            try:
                checklist.severity(finding.item, kind, finding.severity)
            except UnknownItem:
                faults.append(Fault(f"/items/{at}/item", "unknown-item"))
            except SeverityLowered:
                faults.append(Fault(f"/items/{at}/severity", "severity-lowered"))
    return faults


def _settled(finding: Finding, kind: str, checklist: Checklist) -> Finding:
    severity = checklist.severity(finding.item, kind, finding.severity) if finding.result == "fail" else None
    return replace(finding, severity=severity, note=single_spaced(finding.note or "") or None)
