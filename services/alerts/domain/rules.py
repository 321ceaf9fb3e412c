"""The condition rules: what the present state of premises says about its safety, whoever lives there.

A rule is a pure function over a `Dwelling` and the rule's lines in policy/packs/condition_rules.yaml. It returns the
facts that make it hold, as the alert shows them, or None. docs/how-to/add-a-rule.md adds one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from policy.conditions import Condition, Conditions

Facts = dict[str, Any]

IMMINENT = "imminent"
CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard that is open now. `item` is a code of the inspection checklist."""

    item: str
    severity: str
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Dwelling:
    """Premises as their state stands now. `headcount` is how many people are registered there, and never who."""

    kind: str
    status: str
    capacity: int
    one_household: bool
    hazards: tuple[Hazard, ...]
    headcount: int


def unsafe_dwelling(dwelling: Dwelling, condition: Condition) -> Facts | None:
    """People live in premises that are closed or have an imminent hazard (消防法 art. 54)."""
    imminent = sorted({hazard.item for hazard in dwelling.hazards if hazard.severity == IMMINENT})
    if dwelling.status != CLOSED and not imminent:
        return None
    if dwelling.headcount < condition.threshold("least_headcount"):
        return None
    return {
        "headcount": dwelling.headcount,
        "closed": dwelling.status == CLOSED,
        "hazards": [{"item": item, "severity": IMMINENT} for item in imminent],
    }


def overcrowded(dwelling: Dwelling, condition: Condition) -> Facts | None:
    """More people than capacity × factor (商品房屋租赁管理办法 art. 8); one household may live as close as it likes.

    A capacity of 0 is that of a stub or a market, whose rooms nobody has measured to live in: no rule.
    """
    if dwelling.one_household or dwelling.capacity == 0:
        return None
    if dwelling.headcount <= dwelling.capacity * condition.threshold("capacity_factor"):
        return None
    return {"headcount": dwelling.headcount, "capacity": dwelling.capacity}


Rule = Callable[[Dwelling, Condition], Facts | None]

# By the name that the pack, the alert and the API use.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "unsafe_dwelling": unsafe_dwelling,
        "overcrowded": overcrowded,
    }
)


def judge(dwelling: Dwelling | None, conditions: Conditions) -> dict[str, Facts]:
    """Return the facts of every rule that holds, with the rule's source; none of premises that nobody told of yet."""
    if dwelling is None:
        return {}
    found: dict[str, Facts] = {}
    for name, rule in RULES.items():
        condition = conditions.of(name)
        facts = rule(dwelling, condition)
        if facts is not None:
            found[name] = {**facts, "source": condition.source}
    return found
