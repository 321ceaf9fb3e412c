"""The step bar of an alert: what was done and when, what is next, and where the way ended before its last step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.alerts.domain.alerts import WAY, AlertState, Change
from services.alerts.use_cases.queries import AlertView

# Each step of the way with the change that takes it.
STEPS = (Change.RAISED, Change.ACKNOWLEDGED, Change.VERIFIED, Change.CLOSED)
# What ends an alert without anybody: it stands in the place of the steps that are not taken any more.
ENDS = {AlertState.CLEARED: Change.CLEARED, AlertState.RETRACTED: Change.RETRACTED}


@dataclass(frozen=True, slots=True)
class BarStep:
    """One step: `change` names it; `at` is when it was last done since the alert began, None where it was not."""

    change: Change
    state: Literal["done", "now", "next"]
    at: datetime | None


def step_bar(view: AlertView) -> Sequence[BarStep]:
    """Return the steps, first to last; those before the latest reopening no longer count, but for the raising."""
    done: dict[Change, datetime] = {}
    for entry in view.history:
        if entry.change.change is Change.REOPENED:
            done = {change: at for change, at in done.items() if change is Change.RAISED}
        done[entry.change.change] = entry.change.at
    state = view.alert.state
    end = ENDS.get(state)
    if end is not None:
        return [BarStep(step, "done", done[step]) for step in (*STEPS, end) if step in done]
    now = STEPS[WAY.index(state) + 1] if state in WAY else None
    return [
        BarStep(step, "now" if step is now else "done" if step in done else "next", done.get(step)) for step in STEPS
    ]
