"""A differencing attacker: collects every figure shown over some days, and reckons what the hidden ones must be.

Knows how figures hang together (kinds, divisions, days) and nothing of how reporting chooses what to hide: exact linear
algebra over all days at once, so that no sum or difference of any figures, however many, can tell more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

Name = tuple[object, ...]


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
