"""The condition rules and what they make of an alert: thresholds, exemptions, facts, and the end of facts."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from services.alerts.domain import alerts, rules
from services.alerts.domain.alerts import Alert, AlertState, Change, Outcome, Source, StepRefused
from services.alerts.domain.rules import Dwelling, Hazard
from tests.unit.alerts.makers import APPROVER, NOW, alert

CONDITIONS = packs.load().on(date(2026, 11, 24), "330199").conditions
EXIT = Hazard("fire_exits", "imminent", NOW)
WIRING = Hazard("wiring", "serious", NOW)


def dwelling(**changes: Any) -> Dwelling:
    """An open flat for four, with one person and no hazard."""
    return replace(Dwelling("rental", "open", 4, False, (), 1), **changes)


def rule_alert(**changes: Any) -> Alert:
    """A new alert of a rule."""
    made = alert(source=Source.RULE, notice_id=None, stay_id=None, room=None, rule="overcrowded", kind="overcrowded")
    return replace(made, facts={"headcount": 5, "capacity": 4}, event_recorded_at=None, **changes)


def test_every_rule_is_in_the_packs() -> None:
    """Title, steps, clocks and thresholds come from there."""
    for name in rules.RULES:
        assert CONDITIONS.of(name).title("zh")


@pytest.mark.parametrize(
    ("changes", "holding"),
    [
        ({}, set()),
        ({"headcount": 4}, set()),  # exactly full
        ({"headcount": 5}, {"overcrowded"}),
        ({"headcount": 5, "one_household": True}, set()),
        ({"headcount": 5, "capacity": 0, "status": "stub"}, set()),
        ({"hazards": (WIRING,)}, set()),
        ({"hazards": (WIRING, EXIT)}, {"unsafe_dwelling"}),
        ({"hazards": (EXIT,), "headcount": 0}, set()),
        ({"status": "closed"}, {"unsafe_dwelling"}),
        ({"status": "closed", "headcount": 0}, set()),
        ({"status": "closed", "headcount": 9, "one_household": True}, {"unsafe_dwelling"}),
        ({"status": "closed", "headcount": 9}, {"unsafe_dwelling", "overcrowded"}),
    ],
)
def test_which_rules_hold(changes: dict[str, Any], holding: set[str]) -> None:
    """By status, hazards and headcount alone."""
    assert set(rules.judge(dwelling(**changes), CONDITIONS)) == holding


def test_facts_name_hazards_and_source_and_nobody() -> None:
    """Each alert cites its rule's source; of hazards the imminent ones, each once."""
    facts = rules.judge(dwelling(hazards=(EXIT, WIRING, EXIT), headcount=3), CONDITIONS)["unsafe_dwelling"]
    assert facts == {
        "headcount": 3,
        "closed": False,
        "hazards": [{"item": "fire_exits", "severity": "imminent"}],
        "source": CONDITIONS.of("unsafe_dwelling").source,
    }
    assert rules.judge(None, CONDITIONS) == {}


@given(capacity=st.integers(0, 50), headcount=st.integers(0, 100), one_household=st.booleans())
def test_overcrowded_is_monotonous(capacity: int, headcount: int, one_household: bool) -> None:
    """One more person never clears it, one more place never raises it."""
    here = dwelling(capacity=capacity, headcount=headcount, one_household=one_household)
    condition = CONDITIONS.of("overcrowded")
    if rules.overcrowded(here, condition):
        assert rules.overcrowded(replace(here, headcount=headcount + 1), condition)
    elif capacity:
        assert not rules.overcrowded(replace(here, capacity=capacity + 1), condition)


@pytest.mark.parametrize("state", [AlertState.NEW, AlertState.ACKNOWLEDGED, AlertState.VERIFIED])
def test_an_open_alert_follows_its_facts_and_clears(state: AlertState) -> None:
    """Its history says both; the same facts again say nothing."""
    open_ = rule_alert(state=state)
    other = alerts.facts_changed(open_, {"headcount": 6, "capacity": 4}, open_.division_code)
    assert (other.change, other.alert.facts["headcount"], other.alert.state) == (Change.FACTS_CHANGED, 6, state)
    assert alerts.facts_changed(other.alert, other.alert.facts, open_.division_code).change is None
    ended = alerts.facts_ended(other.alert)
    assert (ended.change, ended.alert.state, ended.alert.due_at) == (Change.CLEARED, AlertState.CLEARED, None)
    assert not ended.alert.holds


def test_a_closed_alert_keeps_its_state() -> None:
    """It notes the end in its history and is not opened again; while the facts go on it may be."""
    closed = rule_alert(state=AlertState.CLOSED, due_at=None, outcome=Outcome.RESOLVED)
    assert alerts.facts_changed(closed, {"headcount": 7}, closed.division_code).change is None
    assert alerts.reopen(closed, APPROVER, "再查", NOW).alert.state is AlertState.NEW
    ended = alerts.facts_ended(closed)
    assert (ended.change, ended.alert.state) == (Change.CORRECTION_NOTED, AlertState.CLOSED)
    with pytest.raises(StepRefused) as refused:
        alerts.reopen(ended.alert, APPROVER, "再查", NOW)
    assert refused.value.code == "already-cleared"
