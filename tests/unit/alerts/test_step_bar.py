"""The step bar of an alert: what was done stays done, however the alert ended."""

from datetime import timedelta

import pytest

from services.alerts.domain.alerts import AlertState, Change
from services.alerts.domain.officers import SYSTEM
from services.alerts.storage.change_store import AlertChange
from services.alerts.use_cases.queries import AlertView, HistoryEntry
from services.alerts.web.step_bar import step_bar
from tests.unit.alerts.makers import NOW, alert


def view(state: str, *changes: str) -> AlertView:
    """An alert in a state after these changes, a minute apart."""
    shown = alert(state=AlertState(state))
    history = [
        HistoryEntry(
            AlertChange(
                shown.alert_id,
                NOW + timedelta(minutes=minute),
                Change(change),
                SYSTEM,
                None,
                None,
                shown.severity,
                shown.state,
            ),
            None,
        )
        for minute, change in enumerate(changes)
    ]
    return AlertView(shown, None, None, None, None, (), history, 0)


@pytest.mark.parametrize(
    ("state", "changes", "shown"),
    [
        ("new", "raised", "raised:done acknowledged:now verified:next closed:next"),
        ("acknowledged", "raised acknowledged noted", "raised:done acknowledged:done verified:now closed:next"),
        ("closed", "raised acknowledged verified closed", "raised:done acknowledged:done verified:done closed:done"),
        ("closed", "raised closed", "raised:done acknowledged:next verified:next closed:done"),
        (
            "new",
            "raised acknowledged verified closed reopened",
            "raised:done acknowledged:now verified:next closed:next",
        ),
        ("cleared", "raised cleared", "raised:done cleared:done"),
        ("cleared", "raised acknowledged cleared", "raised:done acknowledged:done cleared:done"),
        (
            "retracted",
            "raised acknowledged verified retracted",
            "raised:done acknowledged:done verified:done retracted:done",
        ),
    ],
)
def test_the_bar_shows_what_was_done(state: str, changes: str, shown: str) -> None:
    """A cleared or retracted alert keeps the steps it had; a closed test never had the two between."""
    steps = step_bar(view(state, *changes.split()))
    assert " ".join(f"{step.change}:{step.state}" for step in steps) == shown
    assert all((step.at is not None) == (step.state == "done") for step in steps)
