"""The fire department's case: an alert of unsafe premises while a hazard there is imminent and people are inside."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.alerts.domain.alerts import OPEN, Alert, AlertState
from services.alerts.domain.rules import IMMINENT, unsafe_dwelling

FIRE = "fire"


class CaseState(StrEnum):
    """Where a case stands: open, ended by its facts, or closed by an officer of the command centre."""

    OPEN = "open"
    CLEARED = "cleared"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FireCase:
    """What the fire department is told: place, items that are imminently dangerous, how many people; never who."""

    case_id: UUID
    premises_id: UUID
    address: str
    division_code: str
    latitude: float | None
    longitude: float | None
    imminent: tuple[str, ...]
    headcount: int
    since: datetime
    state: CaseState


def told_state(before: Alert | None, after: Alert) -> CaseState | None:
    """Return what the department is to be told of this change of an alert; None when it changes nothing for it.

    A closure of premises without an imminent hazard is no case of theirs: the same alert may become one and end as
    one more than once.
    """
    was = _burns(before) if before is not None else None
    now = _burns(after)
    if now is not None:
        return CaseState.OPEN if now != was else None
    if was is None:
        return None
    return CaseState.CLOSED if after.state is AlertState.CLOSED else CaseState.CLEARED


def _burns(alert: Alert) -> Any:
    """What the department knows of an alert that is its case now, else None."""
    if alert.rule != unsafe_dwelling.__name__ or alert.state not in OPEN:
        return None
    items = [hazard["item"] for hazard in alert.facts["hazards"] if hazard["severity"] == IMMINENT]
    return (items, alert.facts["headcount"]) if items else None
