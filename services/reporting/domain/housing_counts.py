"""Premises, inspections and hazards of a period. They count places, not people: nothing is hidden (decision 0805)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.reporting.domain.divisions import ancestors, leaf_of
from services.reporting.domain.read_models import Counted
from services.reporting.domain.tables import TOTAL, Cell, Table

SEVERITIES = ("imminent", "serious", "minor")
# At the period's end; the others happened in it.
LEVELS = ("premises_open", "premises_closed", *(f"hazards_open_{severity}" for severity in SEVERITIES))
FLOWS = (
    *(f"inspections_{outcome}" for outcome in ("done", "nobody_home", "refused")),
    *(f"{what}_{severity}" for what in ("hazards_found", "hazards_cleared") for severity in SEVERITIES),
)
SECONDS = tuple(f"clear_seconds_{severity}" for severity in SEVERITIES)


@dataclass(frozen=True)
class Housing:
    """Counts by division and kind: `at_end` the newest of each until the period's end, `within` those of its days."""

    at_end: Sequence[Counted]
    within: Sequence[Counted]

    def counts(self, division: str, kind: str = TOTAL) -> dict[str, int | None]:
        """Return each measure; `clear_seconds_…` is the mean time from found to cleared, None where nothing was."""
        found: Counter[str] = Counter()
        for measures, counted in ((LEVELS, self.at_end), ((*FLOWS, *SECONDS), self.within)):
            for one in counted:
                if kind in (TOTAL, one.kind) and division in _divisions(one):
                    found.update({each: one.counts.get(each, 0) for each in measures})
        means = {}
        for severity, seconds in zip(SEVERITIES, SECONDS, strict=True):
            cleared = found[f"hazards_cleared_{severity}"]
            means[seconds] = round(found[seconds] / cleared) if cleared else None
        return {**{each: found[each] for each in (*LEVELS, *FLOWS)}, **means}

    def kinds(self, division: str) -> dict[str, dict[str, int | None]]:
        """Return the counts by kind of premises; kinds without any are left out."""
        kinds = {one.kind for one in self._all() if division in _divisions(one)}
        found = {kind: self.counts(division, kind) for kind in sorted(kinds)}
        return {kind: its for kind, its in found.items() if any(its.values())}

    def parts(self, division: str) -> list[str]:
        """Return the divisions that a division consists of, as far as something was counted there."""
        keys: dict[Cell, tuple[int, ...]] = {(one.division_code, one.kind): () for one in self._all()}
        return Table.of(keys).parts(division)

    def _all(self) -> Iterable[Counted]:
        return (*self.at_end, *self.within)


def _divisions(one: Counted) -> list[str]:
    leaf = leaf_of(one.division_code)
    return [leaf, *ancestors(leaf)]
