"""Hazards of premises: opened by an item that failed, cleared by its clearance or by a later visit that passes it.

One item of one premises has one open hazard at most. What was looked at last counts: a visit that reaches the service
late, behind a newer look at the same item, is kept but changes no hazard.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from policy.checklists import HazardSeverity, worst
from services.housing.domain.inspections import Inspection


class UnknownHazard(LookupError):
    """There is no hazard with this id."""


class AlreadyCleared(Exception):
    """The hazard was cleared before."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard. `item` is a code of the checklist; `cleared_at` is None while it is open."""

    hazard_id: UUID
    item: str
    severity: HazardSeverity
    found_at: datetime
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a visit changed: hazards that are new, that became graver, that are no more."""

    found: tuple[Hazard, ...] = ()
    raised: tuple[Hazard, ...] = ()
    cleared: tuple[Hazard, ...] = ()

    def applied_to(self, present: Sequence[Hazard]) -> tuple[Hazard, ...]:
        """Return the open hazards after the change, in the order in which they were found."""
        kept = {hazard.item: hazard for hazard in (*present, *self.raised, *self.found)}
        gone = {hazard.item for hazard in self.cleared}
        return tuple(sorted((h for h in kept.values() if h.item not in gone), key=lambda h: (h.found_at, h.item)))


def after_visit(
    present: Sequence[Hazard],
    visit: Inspection,
    looked_at: Mapping[str, datetime],
    new_id: Callable[[], UUID],
) -> Changes:
    """Return what a visit changes of the open hazards `present`.

    `looked_at` tells of each item when it was last looked at or cleared before this visit was recorded. An item that
    fails again keeps its hazard, found when it was; it can become graver, not lesser, until it is cleared.
    """
    open_by_item = {hazard.item: hazard for hazard in present}
    found, raised, cleared = [], [], []
    for finding in visit.items:
        last = looked_at.get(finding.item)
        if last is not None and visit.inspected_at < last:
            continue
        hazard = open_by_item.get(finding.item)
        if finding.result == "pass" and hazard is not None:
            cleared.append(replace(hazard, cleared_at=visit.inspected_at))
        elif finding.result == "fail" and finding.severity is not None:
            if hazard is None:
                found.append(Hazard(new_id(), finding.item, finding.severity, visit.inspected_at))
            elif worst((hazard.severity, finding.severity)) != hazard.severity:
                raised.append(replace(hazard, severity=finding.severity))
    return Changes(tuple(found), tuple(raised), tuple(cleared))


def clear(hazard: Hazard, now: datetime) -> Hazard:
    """Return the hazard cleared now. Raises AlreadyCleared."""
    if hazard.cleared_at is not None:
        raise AlreadyCleared
    # A visit's time may lie minutes ahead: phones have clocks of their own.
    return replace(hazard, cleared_at=max(now, hazard.found_at))
