"""Rounds of contestants, and what is said of them: minimum, median and maximum, and ratios within a round.

Contestants of one round run after each other on the same machine, in an order that changes from round to round, and a
ratio is taken within its round: what slows the machine down slows both.
"""

import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.parts import Parts

Outcome = Mapping[str, float]
"""What one contestant did in one round, figure by figure, such as events_per_second."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured, and on what."""

    parts: Parts
    rounds: int
    scale: float

    def count(self, full: int) -> int:
        """A number of events at this run's scale."""
        return max(1, int(full * self.scale))


@dataclass(frozen=True, slots=True)
class Goal:
    """What the median is to be: at least this, or at most."""

    bound: float
    most: bool = False

    def said(self, value: float) -> str:
        """For people, with whether it is met."""
        met = value <= self.bound if self.most else value >= self.bound
        return f"   (goal {'≤' if self.most else '≥'} {self.bound:g}: {'met' if met else 'NOT MET'})"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of several contestants, round by round; `ours` is compared with each other one.

    `goals` are about ratios, ours to the contestant named; `own` is about our figure itself.
    """

    figure: str
    ours: str
    rounds: tuple[Mapping[str, float], ...]
    goals: Mapping[str, Goal] = field(default_factory=dict)
    own: Goal | None = None

    def ratios(self, other: str) -> list[float]:
        """Ours to another's, round by round."""
        return [each[self.ours] / each[other] for each in self.rounds]

    def plain(self) -> dict[str, Any]:
        """For a file."""
        return {"figure": self.figure, "ours": self.ours, "rounds": [dict(each) for each in self.rounds]}


async def interleaved(
    plan: Plan, contestants: Mapping[str, Callable[[], Awaitable[Outcome]]]
) -> list[dict[str, Outcome]]:
    """Run each contestant once a round, beginning with another one each time."""
    names = list(contestants)
    found = []
    for number in range(plan.rounds):
        order = names[number % len(names) :] + names[: number % len(names)]
        found.append({name: await contestants[name]() for name in order})
    return found


def figure_of(
    rounds: Sequence[Mapping[str, Outcome]],
    figure: str,
    ours: str,
    goals: Mapping[str, Goal] | None = None,
    own: Goal | None = None,
) -> Measured:
    """Take one figure out of rounds."""
    taken = tuple({name: its[figure] for name, its in each.items() if figure in its} for each in rounds)
    return Measured(figure, ours, taken, goals or {}, own)


def percentile(values: Collection[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def shown(measured: Measured) -> list[str]:
    """Lines for people."""
    lines = [f"  {measured.figure:40}{'min':>12}{'median':>12}{'max':>12}   ours to it: min, median, max"]
    for name in measured.rounds[0]:
        values = [each[name] for each in measured.rounds]
        line = f"    {name:38}{min(values):>12,.1f}{median(values):>12,.1f}{max(values):>12,.1f}"
        if name != measured.ours:
            ratios = measured.ratios(name)
            line += f"   {min(ratios):.2f}  {median(ratios):.2f}  {max(ratios):.2f}"
            if name in measured.goals:
                line += measured.goals[name].said(median(ratios))
        elif measured.own is not None:
            line += measured.own.said(median(values))
        lines.append(line)
    return lines
