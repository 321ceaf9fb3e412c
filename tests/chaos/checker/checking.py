"""Every check in turn."""

from collections.abc import Iterator

from tests.chaos.checker import alerts, entries, histories, readers, states, trace
from tests.chaos.checker.evidence import Evidence
from tests.chaos.checker.findings import Finding

CHECKS = (entries.check, histories.check, states.check, alerts.check, trace.check, readers.check)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Say everything that is not as it must be."""
    for each in CHECKS:
        yield from each(evidence)
