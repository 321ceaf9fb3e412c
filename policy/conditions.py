"""Rules about the state of premises: how urgent their alerts are, what an officer does, from which threshold on."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from policy.reading import Value, two_languages
from policy.severities import CLOCK_KEYS, Clocks, clocks

# What alerts' own rules ask of a pack. A rule that is added later names its thresholds in the pack alone.
THRESHOLDS: Final[Mapping[str, tuple[str, ...]]] = {
    "unsafe_dwelling": ("least_headcount",),
    "overcrowded": ("capacity_factor",),
}
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Condition:
    """One rule: its name on screen, severity and clocks of its alerts, steps for the officer, thresholds, source."""

    title_zh: str
    title_en: str
    clocks: Clocks
    steps_zh: tuple[str, ...]
    steps_en: tuple[str, ...]
    thresholds: Mapping[str, Decimal]
    source: str

    def threshold(self, name: str) -> Decimal:
        """A threshold, exact as written in the pack, so that 100 × 1.1 is 110; a KeyError for no such name."""
        return self.thresholds[name]

    def title(self, language: Literal["zh", "en"] = "zh") -> str:
        """The rule's name on screen."""
        return self.title_zh if language == "zh" else self.title_en

    def steps(self, language: Literal["zh", "en"] = "zh") -> list[str]:
        """What the duty officer does, in order."""
        return list(self.steps_zh if language == "zh" else self.steps_en)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The condition rules in force on a day, by name."""

    by_rule: Mapping[str, Condition]

    def of(self, rule: str) -> Condition:
        """One rule; a KeyError where no pack sets it."""
        return self.by_rule[rule]


def _condition(value: Value) -> Condition:
    record = value.record((*CLOCK_KEYS, "title", "steps"), ("thresholds",))
    title = two_languages(record["title"])
    steps = [two_languages(item) for item in record["steps"].items()]
    thresholds = (
        record["thresholds"].codes(lambda one: Decimal(str(one.decimal(0, _MOST)))) if "thresholds" in record else {}
    )
    return Condition(
        title_zh=title[0],
        title_en=title[1],
        clocks=clocks(record),
        steps_zh=tuple(zh for zh, _ in steps),
        steps_en=tuple(en for _, en in steps),
        thresholds=thresholds,
        source=record["source"].text(),
    )


def read(values: Value) -> Conditions:
    """The `values` of a pack `condition_rules`."""
    by_rule = values.codes(_condition)
    for rule, names in THRESHOLDS.items():
        if rule not in by_rule:
            raise values.refuse(f"missing {rule}")
        if set(by_rule[rule].thresholds) != set(names):
            raise values.refuse(f"{rule}: its thresholds are {', '.join(names)}")
    return Conditions(by_rule=by_rule)
