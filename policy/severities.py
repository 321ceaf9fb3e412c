"""How urgent an alert of each kind is, and how long each of its states may last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from policy.notices import NOTICE_KINDS
from policy.reading import Value

SeverityName = Literal["critical", "urgent", "normal", "info"]
SEVERITY_NAMES: Final = ("critical", "urgent", "normal", "info")
_A_MONTH = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Clocks:
    """Severity of a kind of alert, and seconds to acknowledge (from raising), to verify (from acknowledging), to close
    (from verifying)."""

    severity: SeverityName
    acknowledge_seconds: int
    verify_seconds: int
    close_seconds: int
    source: str


@dataclass(frozen=True, slots=True)
class Severities:
    """The severities and clocks in force on a day."""

    by_kind: Mapping[str, Clocks]

    def of(self, kind: str) -> Clocks:
        """Severity and clocks of an alert's kind (a notice's kind); a KeyError for no such kind."""
        return self.by_kind[kind]


CLOCK_KEYS: Final = ("severity", "acknowledge_seconds", "verify_seconds", "close_seconds", "source")


def clocks(record: Mapping[str, Value]) -> Clocks:
    """The clocks among the values of a record that has at least the CLOCK_KEYS."""
    return Clocks(
        severity=cast("SeverityName", record["severity"].one_of(SEVERITY_NAMES)),
        acknowledge_seconds=record["acknowledge_seconds"].whole(1, _A_MONTH),
        verify_seconds=record["verify_seconds"].whole(1, _A_MONTH),
        close_seconds=record["close_seconds"].whole(1, _A_MONTH),
        source=record["source"].text(),
    )


def read(values: Value) -> Severities:
    """The `values` of a pack `severities`."""
    return Severities(
        by_kind={kind: clocks(value.record(CLOCK_KEYS)) for kind, value in values.record(NOTICE_KINDS).items()}
    )
