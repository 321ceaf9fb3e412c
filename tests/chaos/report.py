"""What a run tells at its end: faults, load, stalls, restarts, findings; printed, and as JSON."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.chaos.checker.evidence import Evidence
from tests.chaos.checker.findings import Finding, by_kind
from tests.chaos.terminal import Terminal

if TYPE_CHECKING:
    from tests.chaos.city import ChaosCity
    from tests.chaos.faults import Faults


@dataclass(slots=True)
class Report:
    """The figures of a run. Times are in seconds."""

    began: float
    seed: int
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    longest_stall_seconds: float = 0.0
    longest_request_seconds: float = 0.0
    well_seconds: float = 0.0
    settle_seconds: float = 0.0
    records: dict[str, int] = field(default_factory=dict)
    repeated_records: int = 0
    stream_resumed: int = 0
    alerts: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    planted_found: str = ""

    def note(self, city: "ChaosCity", faults: "Faults", terminal: Terminal) -> None:
        """Take the figures of what was done."""
        self.seconds = time.time() - self.began
        self.faults = dict(sorted(Counter(fault.name for fault in faults.done).items()))
        self.left_out = dict(faults.left_out)
        self.operations = dict(sorted(terminal.counts.items()))
        self.restarts = {process["name"]: process["restarts"] for process in city.processes()}
        self.longest_request_seconds = terminal.longest_seconds

    def judge(self, evidence: Evidence, findings: list[Finding]) -> None:
        """Take the figures of what was left."""
        self.findings = by_kind(findings)
        answered = sorted(
            datetime.fromisoformat(line["at"]) for line in evidence.journal if line["phase"] == "answered"
        )
        pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(answered)]
        self.longest_stall_seconds = max(pauses, default=0.0)
        self.records = {topic: len(records) for topic, records in evidence.topics.items()}
        self.repeated_records = sum(
            len(records) - len({record.id for record in records}) for records in evidence.topics.values()
        )
        self.alerts = len(evidence.table("alerts.alerts"))

    def document(self) -> dict[str, Any]:
        """All of it, for a file."""
        return asdict(self)

    def text(self) -> str:
        """All of it, for people."""
        lines = [f"Chaos, seed {self.seed}: {sum(self.faults.values())} faults in {self.seconds / 60:.1f} minutes"]
        for name, value in self.document().items():
            if name in ("began", "seed", "seconds"):
                continue
            if isinstance(value, dict):
                shown = ", ".join(f"{key} {count}" for key, count in value.items()) or "none"
            else:
                shown = f"{value:.1f}" if isinstance(value, float) else str(value)
            lines.append(f"  {name.replace('_', ' '):<24} {shown}")
        return "\n".join(lines)
