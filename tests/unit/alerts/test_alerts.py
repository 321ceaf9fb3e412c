"""The life of an alert against the state table of interfaces.md."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.alerts.domain import alerts
from services.alerts.domain.alerts import (
    FINDINGS,
    AlertState,
    Change,
    Outcome,
    Source,
    Step,
    StepRefused,
    UnknownFinding,
    city_day,
)
from services.alerts.domain.officers import Officer
from tests.unit.alerts.makers import CLOCKS, NOW, alert

ANNA, BO, CHI = (Officer(name, name, "command-centre") for name in ("anna", "bo", "chi"))
officers = st.sampled_from([ANNA, BO, CHI])
findings = st.sampled_from(sorted(FINDINGS[Source.NOTICE]))
outcomes = st.sampled_from(Outcome)

# interfaces.md, alert state table, written down again: (state, step) -> next state. What is not here is 409.
TABLE = {
    ("new", "acknowledge"): "acknowledged",
    ("new", "close test"): "closed",
    ("acknowledged", "take over"): "acknowledged",
    ("acknowledged", "verify"): "verified",
    ("verified", "close"): "closed",
    ("verified", "close test"): "closed",
    ("closed", "reopen"): "new",
    ("retracted", "holds again"): "new",
    ("new", "break"): "retracted",
    ("acknowledged", "break"): "retracted",
    ("verified", "break"): "retracted",
    ("closed", "break"): "closed",
}


class AlertLife(RuleBasedStateMachine):
    """Any sequence of steps by three officers and by corrections follows the table, and repeats change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.alert = alert()
        self.now = NOW
        self.last: tuple[str, str, str] | None = None

    def _go(self, name: str, repeat: tuple[str, str, str] | None, step: Any) -> None:
        """Take a step and compare with the table. `repeat` is what makes it the same step again."""
        before, self.now = self.alert, self.now + timedelta(seconds=1)
        expected = TABLE.get((before.state.value, name))
        try:
            taken: Step | None = step(self.now)
        except StepRefused:
            taken = None
        if taken is None:
            assert expected is None
            assert repeat is None or repeat != self.last
            return
        if taken.change is None:
            assert repeat == self.last
            assert taken.alert == before
            return
        assert taken.alert.state.value == expected
        moved_on = repeat is not None or taken.alert.state is not before.state
        self.alert, self.last = taken.alert, repeat if moved_on else self.last

    @rule(by=officers, reason=st.sampled_from([None, "换班"]))
    def acknowledge(self, by: Officer, reason: str | None) -> None:
        """Take on, or take over with a reason."""
        acknowledged = self.alert.state is AlertState.ACKNOWLEDGED
        name = "acknowledge" if not acknowledged else "take over" if reason else "nothing"
        repeat = ("acknowledge", by.subject, "")
        self._go(name, repeat, lambda now: alerts.acknowledge(self.alert, by, reason, now))

    @rule(by=officers, finding=findings)
    def verify(self, by: Officer, finding: str) -> None:
        """Verify with any finding."""
        repeat = ("verify", by.subject, finding)
        self._go("verify", repeat, lambda now: alerts.verify(self.alert, by, finding, "查过", now))

    @rule(by=officers, outcome=outcomes)
    def close(self, by: Officer, outcome: Outcome) -> None:
        """Close with any outcome."""
        name = "close test" if outcome is Outcome.TEST else "close"
        self._go(name, ("close", by.subject, outcome.value), lambda _: alerts.close(self.alert, by, outcome, "完"))

    @rule(by=officers)
    def reopen(self, by: Officer) -> None:
        """Reopen."""
        self._go("reopen", ("reopen", by.subject, ""), lambda now: alerts.reopen(self.alert, by, "再查", now))

    @rule()
    def correct(self) -> None:
        """A correction breaks the match, or makes it hold again."""
        if self.alert.holds:
            self._go("break", None, lambda now: alerts.broken(self.alert, now))
        elif self.alert.state is AlertState.RETRACTED:
            self._go("holds again", None, lambda now: alerts.holds_again(self.alert, now, now))
        else:
            state = self.alert.state
            self.alert = alerts.holds_again(self.alert, self.now, self.now).alert
            assert self.alert.state is state

    @rule(by=officers)
    def escalate(self, by: Officer) -> None:
        """The level rises beside the state while somebody works on it."""
        before = self.alert
        if before.state in alerts.OPEN:
            self.alert = alerts.escalate(before, by, "无人接").alert
            assert (self.alert.state, self.alert.escalation_level) == (before.state, before.escalation_level + 1)
        else:
            with pytest.raises(StepRefused):
                alerts.escalate(before, by, "无人接")

    @invariant()
    def owner_and_clock_fit_the_state(self) -> None:
        """New has no owner; what waits has a clock; what is finished has none."""
        state = self.alert.state
        assert (self.alert.owner is None) if state is AlertState.NEW else True
        assert (self.alert.owner is not None) if state in (AlertState.ACKNOWLEDGED, AlertState.VERIFIED) else True
        assert (self.alert.due_at is not None) == (state in alerts.OPEN)
        assert (self.alert.outcome is not None) == (state is AlertState.CLOSED) or state is AlertState.RETRACTED


AlertLife.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestAlertLife = AlertLife.TestCase


def test_clocks_run_from_each_step() -> None:
    """Acknowledge by, verify by, close by; taking over does not start the clock again."""
    taken = alerts.acknowledge(alert(), ANNA, None, NOW).alert
    assert taken.due_at == NOW + CLOCKS.verify
    over = alerts.acknowledge(taken, BO, "换班", NOW + timedelta(minutes=5)).alert
    assert (over.due_at, over.owner) == (NOW + CLOCKS.verify, BO)
    verified = alerts.verify(over, BO, "true_match", "到场核对", NOW + timedelta(minutes=9)).alert
    assert verified.due_at == NOW + timedelta(minutes=9) + CLOCKS.close


@pytest.mark.parametrize(
    ("state", "step", "code"),
    [
        ("new", lambda a: alerts.verify(a, ANNA, "true_match", "r", NOW), "not-acknowledged"),
        ("new", lambda a: alerts.close(a, ANNA, Outcome.RESOLVED, "r"), "not-verified"),
        ("acknowledged", lambda a: alerts.acknowledge(a, ANNA, None, NOW), "already-acknowledged"),
        ("acknowledged", lambda a: alerts.close(a, ANNA, Outcome.TEST, "r"), "not-verified"),
        ("verified", lambda a: alerts.acknowledge(a, ANNA, "r", NOW), "already-verified"),
        ("closed", lambda a: alerts.escalate(a, ANNA, "r"), "already-closed"),
        ("retracted", lambda a: alerts.close(a, ANNA, Outcome.RESOLVED, "r"), "already-retracted"),
        ("cleared", lambda a: alerts.acknowledge(a, ANNA, "r", NOW), "already-cleared"),
        ("verified", lambda a: alerts.reopen(a, ANNA, "r", NOW), "not-closed"),
    ],
)
def test_a_refusal_names_the_present_state(state: str, step: Any, code: str) -> None:
    """The code says what stands in the way."""
    with pytest.raises(StepRefused) as refused:
        step(alert(state=AlertState(state), owner=BO))
    assert refused.value.code == code


def test_findings_depend_on_the_source() -> None:
    """A rule is confirmed, a notice's match is true or false."""
    with pytest.raises(UnknownFinding):
        alerts.verify(alert(), ANNA, "confirmed", "r", NOW)
    of_rule = alert(source=Source.RULE, state=AlertState.ACKNOWLEDGED, owner=ANNA)
    assert alerts.verify(of_rule, ANNA, "confirmed", "r", NOW).alert.finding == "confirmed"


def test_a_closed_alert_notes_corrections_once_each() -> None:
    """It keeps its state; the history tells of the correction."""
    closed = alert(state=AlertState.CLOSED, outcome=Outcome.RESOLVED)
    step = alerts.broken(closed, NOW)
    assert (step.alert.state, step.change) == (AlertState.CLOSED, Change.CORRECTION_NOTED)
    back = alerts.holds_again(step.alert, NOW, NOW)
    assert (back.alert.state, back.change) == (AlertState.CLOSED, Change.CORRECTION_NOTED)


def test_a_move_is_written_down_only_when_the_place_differs() -> None:
    """A repeat of the same place says nothing."""
    made = alert()
    assert made.stay_id is not None
    assert alerts.moved(made, made.premises_id, made.room, made.division_code, NOW).change is None
    step = alerts.moved(made, made.premises_id, "0807", made.division_code, NOW)
    assert (step.change, step.alert.room) == (Change.MOVED, "0807")


def test_the_number_counts_in_the_citys_day() -> None:
    """17:30 UTC is half past one of the next day in Asia/Shanghai."""
    late = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    assert replace(alert(), day=city_day(late), serial=7).number == "1125-0007"
    assert replace(alert(), day=city_day(late), serial=12345).number == "1125-12345"
