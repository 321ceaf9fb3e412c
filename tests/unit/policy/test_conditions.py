"""Rules about premises have thresholds, clocks and steps; a new one needs lines of pack and no code here."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.suppression import LEAST

DAY = date(2026, 11, 24)
RULES = packs.load().on(DAY, "330199")
NAMES = tuple(RULES.conditions.by_rule)
# The platform's own; a city may have added others.
PLATFORM = ("unsafe_dwelling", "overcrowded")

A_RULE = """
  inspection_overdue:
    title: {zh: 检查逾期, en: An inspection is overdue}
    severity: info
    acknowledge_seconds: 86400
    verify_seconds: 604800
    close_seconds: 1209600
    thresholds: {days_over: 3.5}
    source: 本规则包所定
    steps:
      - {zh: 请辖区检查员安排检查。, en: Have the area's inspector go there.}
"""


def test_the_rules_of_the_platform_are_there_with_their_thresholds() -> None:
    assert set(NAMES) >= set(PLATFORM)
    assert RULES.conditions.of("unsafe_dwelling").threshold("least_headcount") == 1
    assert RULES.conditions.of("overcrowded").threshold("capacity_factor") == 1
    assert RULES.conditions.of("unsafe_dwelling").clocks.severity == "critical"


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_title_steps_and_clocks_that_fit(name: str) -> None:
    rule = RULES.conditions.of(name)
    assert "第" in rule.source or name not in PLATFORM
    assert rule.title() != rule.title("en")
    assert len(rule.steps("zh")) == len(rule.steps("en")) >= (3 if name in PLATFORM else 1)
    assert all(step.isascii() for step in rule.steps("en"))
    assert rule.clocks.acknowledge_seconds < rule.clocks.verify_seconds < rule.clocks.close_seconds


def test_no_such_rule_and_no_such_threshold_are_errors() -> None:
    with pytest.raises(KeyError):
        RULES.conditions.of("suspicious_tenant")
    with pytest.raises(KeyError):
        RULES.conditions.of("overcrowded").threshold("age")


def test_a_new_rule_is_lines_of_pack_and_its_threshold_is_exact(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    shutil.copytree(packs.PACKS, folder)
    file = folder / "condition_rules.yaml"
    text = file.read_text(encoding="utf-8").replace("capacity_factor: 1.0", "capacity_factor: 1.1")
    file.write_text(text + A_RULE, encoding="utf-8")
    conditions = packs.load(folder).on(DAY, "330199").conditions
    assert conditions.of("inspection_overdue").threshold("days_over") == Decimal("3.5")
    # In binary fractions 100 × 1.1 is a little more than 110.
    assert 100 * conditions.of("overcrowded").threshold("capacity_factor") == 110
    assert 100 * 1.1 != 110


@given(st.integers(min_value=0, max_value=100_000))
def test_a_cell_of_one_to_nine_is_hidden_and_no_other(count: int) -> None:
    assert RULES.suppression.least_cell == LEAST == 10
    assert RULES.suppression.hides(count) == (count in range(1, 10))
