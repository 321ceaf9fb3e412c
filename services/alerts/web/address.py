"""What the board's address holds: filters, the open alert. A link to it shows the same board to somebody else."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request

from services.alerts.domain.alerts import OPEN, AlertState, Severity
from services.alerts.domain.contents import NoticeKind
from services.alerts.domain.rules import RULES
from services.alerts.use_cases.queries import AlertFilter

LONGEST_SEARCH = 60


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """Filters of the list, each empty or one value, and the alert whose detail is open."""

    state: str = ""
    severity: str = ""
    kind: str = ""
    mine: bool = False
    search: str = ""
    alert: UUID | None = None

    @classmethod
    def of(cls, request: Request) -> "BoardAddress":
        """Read it; what is not a filter of ours does not filter."""
        query = request.query_params
        kind = query.get("kind", "")
        return cls(
            state=_one_of(AlertState, query.get("state", "")),
            severity=_one_of(Severity, query.get("severity", "")),
            kind=kind if kind in RULES else _one_of(NoticeKind, kind),
            mine=query.get("mine") == "1",
            search=query.get("q", "").strip()[:LONGEST_SEARCH],
            alert=_id(query.get("alert", "")),
        )

    def wanted(self, owner: str) -> AlertFilter:
        """Return the filter; without a state the open alerts."""
        return AlertFilter(
            states=frozenset({AlertState(self.state)}) if self.state else OPEN,
            severities=frozenset({Severity(self.severity)}) if self.severity else frozenset(),
            kinds=frozenset({self.kind}) if self.kind else frozenset(),
            owner=owner if self.mine else "",
            text=self.search,
        )

    def query(self, **changes: Any) -> str:
        """Return the address's query with other values, `?` included; empty when nothing is set."""
        other = replace(self, **changes)
        values = {
            "state": other.state,
            "severity": other.severity,
            "kind": other.kind,
            "mine": "1" if other.mine else "",
            "q": other.search,
            "alert": str(other.alert) if other.alert else "",
        }
        encoded = urlencode({name: value for name, value in values.items() if value})
        return f"?{encoded}" if encoded else ""

    def to(self, **changes: Any) -> str:
        """Return the board's address with other values."""
        return "/" + self.query(**changes)


def _one_of(values: Any, text: str) -> str:
    return text if text in {each.value for each in values} else ""


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
