"""What the wall of the command centre shows: the alert that waits first, the shortest clocks, figures and divisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.data.db import Transaction
from services.alerts.domain.alerts import OPEN, Alert, AlertState, Severity
from services.alerts.storage import alert_store, change_store, premises_store, wall_store
from services.alerts.storage.alert_store import AlertFilter
from services.alerts.storage.premises_store import Place

# What a room reads from its far end.
ROWS = 6


@dataclass(frozen=True, slots=True)
class Wall:
    """`first` waits for an officer before all others; `rest` are the open ones with the shortest clocks beside it."""

    first: Alert | None
    rest: Sequence[Alert]
    places: Mapping[UUID, Place]
    waiting: Mapping[Severity, int]
    by_division: Mapping[str, Mapping[Severity, int]]
    overdue: int
    quiet: datetime | None
    stream_position: int

    @property
    def open(self) -> int:
        """How many alerts are open."""
        return sum(sum(its.values()) for its in self.by_division.values())


async def read_wall(tx: Transaction) -> Wall:
    """Return the wall as it is now."""
    new = AlertFilter(states=frozenset({AlertState.NEW}))
    first = next(iter(await alert_store.list_urgent(tx, new, limit=1)), None)
    shortest = await alert_store.list_urgent(tx, AlertFilter(states=OPEN), limit=ROWS + 1, by_clock=True)
    rest = [each for each in shortest if first is None or each.alert_id != first.alert_id][:ROWS]
    shown = {each.premises_id for each in (*rest, *([first] if first else ()))}
    return Wall(
        first=first,
        rest=rest,
        places=await premises_store.places(tx, shown),
        waiting=await wall_store.waiting(tx),
        by_division=await wall_store.by_division(tx),
        overdue=await wall_store.overdue(tx),
        quiet=None if first else await change_store.last_change_to(tx, AlertState.NEW),
        stream_position=await change_store.stream_position(tx),
    )
