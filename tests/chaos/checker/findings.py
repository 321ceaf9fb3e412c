"""What the checker can say: a finding, of one of six kinds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["lost", "doubled", "invented", "misordered", "wrong alert", "trace"]
KINDS: tuple[Kind, ...] = ("lost", "doubled", "invented", "misordered", "wrong alert", "trace")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. `where` is a table or topic, `what` names the entry and what is wrong."""

    kind: Kind
    where: str
    what: str


def by_kind(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings, every kind among them."""
    counts = Counter(finding.kind for finding in findings)
    return {kind: counts[kind] for kind in KINDS}
