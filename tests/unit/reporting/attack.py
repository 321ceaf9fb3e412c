"""A differencing attacker: collects every figure shown over some days, and reckons what the hidden ones must be.

Knows how figures hang together (kinds, divisions, days) and nothing of how reporting chooses what to hide. Works over
all days at once, so that no sum or difference of any figures, however many, can tell more: exactly, by linear algebra,
and by bounds, since counts are never negative (linear programs; the audit of Hundepool et al. 2012, section 4.5).
"""

import random
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import highspy

Name = tuple[object, ...]
# No count is larger: so a bound that does not end is one.
MOST = 10_000.0
# How often all open bounds are tried at once before each is asked for.
ROUNDS = 12


@dataclass(frozen=True)
class Known:
    """What was shown, and the sums that every reader knows: `whole` is the sum of `members`, each with its sign."""

    shown: Mapping[Name, int]
    sums: Iterable[tuple[Name, tuple[tuple[int, Name], ...]]]

    def equations(self) -> list[tuple[dict[Name, Fraction], Fraction]]:
        """Each sum over what is unknown: coefficients, and what they add up to."""
        found = []
        for whole, members in self.sums:
            row: dict[Name, Fraction] = {}
            right = Fraction(0)
            for sign, name in ((-1, whole), *members):
                if name in self.shown:
                    right -= sign * self.shown[name]
                else:
                    row[name] = row.get(name, Fraction(0)) + sign
            row = {name: value for name, value in row.items() if value}
            if row:
                found.append((row, right))
        return found

    def by_algebra(self) -> dict[Name, int]:
        """Return the hidden figures that one solution only is left for."""
        basis: dict[Name, tuple[dict[Name, Fraction], Fraction]] = {}
        holders: dict[Name, set[Name]] = {}

        def subtract(row: dict[Name, Fraction], right: Fraction, pivot: Name) -> Fraction:
            factor = row.pop(pivot)
            base, base_right = basis[pivot]
            for name, value in base.items():
                row[name] = row.get(name, Fraction(0)) - factor * value
                if not row[name]:
                    del row[name]
            return right - factor * base_right

        for row, right in self.equations():
            for pivot in [name for name in row if name in basis]:
                right = subtract(row, right, pivot)
            if not row:
                assert right == 0, "what was shown contradicts itself"
                continue
            pivot = next(iter(row))
            factor = row.pop(pivot)
            base = {name: value / factor for name, value in row.items()}
            basis[pivot] = (base, right / factor)
            # Keep every row free of every pivot: then a row without anything else is a solved figure.
            for other in holders.pop(pivot, set()):
                if other in basis and pivot in basis[other][0]:
                    its, its_right = basis[other]
                    basis[other] = (its, subtract(its, its_right, pivot))
                    for name in its:
                        holders.setdefault(name, set()).add(other)
            for name in base:
                holders.setdefault(name, set()).add(pivot)
        return {name: int(right) for name, (row, right) in basis.items() if not row}

    def by_bounds(self, asked: Collection[Name], wide: float, marked: Collection[Name] = ()) -> dict[Name, float]:
        """Return how wide the bounds of each hidden figure asked for are, of those that are less than `wide`.

        `marked` are figures that are known to be 1 to 9, as a mark of their own would tell.
        """
        rows = self.equations()
        columns = {name: index for index, name in enumerate(sorted({name for row, _ in rows for name in row}, key=str))}
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        for name in columns:
            solver.addVar(1.0 if name in marked else 0.0, 9.0 if name in marked else MOST)
        for row, right in rows:
            solver.addRow(
                float(right),
                float(right),
                len(row),
                [columns[name] for name in row],
                [float(value) for value in row.values()],
            )
        seen = Seen(solver, {name: columns[name] for name in asked if name in columns}, wide)
        chance = random.Random(1)
        for _ in range(ROUNDS):
            some = {name: chance.choice([-1.0, 1.0]) for name in seen.open()}
            seen.solve(some)
            seen.solve({name: -sign for name, sign in some.items()})
        for name in seen.open():
            seen.solve({name: 1.0})
            seen.solve({name: -1.0})
        return {name: seen.most[name] - seen.least[name] for name in seen.open()}


@dataclass
class Seen:
    """The least and the most of each figure in the solutions so far."""

    solver: highspy.Highs
    columns: Mapping[Name, int]
    wide: float

    def __post_init__(self) -> None:
        self.least = dict.fromkeys(self.columns, MOST)
        self.most = dict.fromkeys(self.columns, 0.0)
        self.solutions = 0

    def open(self) -> list[Name]:
        """Which figures are not known to be free enough."""
        return [name for name in self.columns if self.most[name] - self.least[name] < self.wide - 1e-6]

    def solve(self, wanted: Mapping[Name, float]) -> None:
        """Look at one more solution, where the wanted figures are as large (or small) as they can be together."""
        if not wanted:
            return
        for name, sign in wanted.items():
            self.solver.changeColCost(self.columns[name], -sign)
        self.solver.run()
        assert self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, self.solver.getModelStatus()
        values = list(self.solver.getSolution().col_value)
        for name in wanted:
            self.solver.changeColCost(self.columns[name], 0.0)
        self.solutions += 1
        for name, column in self.columns.items():
            self.least[name] = min(self.least[name], values[column])
            self.most[name] = max(self.most[name], values[column])
