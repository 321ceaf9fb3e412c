"""What the board's address holds: filters, the open alert. A link to it shows the same board to somebody else."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request

from services.alerts.domain.alerts import OPEN, AlertState, Severity
from services.alerts.domain.contents import NoticeKind
from services.alerts.domain.rules import RULES
from services.alerts.use_cases.queries import STREET_DIGITS, AlertFilter

LONGEST_SEARCH = 60
# No list of open alerts is longer than six digits.
START_DIGITS = 6


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """Filters of the list, each empty or one value, and the alert whose detail is open."""

    state: str = ""
    severity: str = ""
    kind: str = ""
    # A subdistrict's code.
    street: str = ""
    mine: bool = False
    unclaimed: bool = False
    search: str = ""
    # How many rows of the list come before the first that is shown.
    start: int = 0
    alert: UUID | None = None
    # On a phone: the alert as a page of its own, not as a sheet over the list.
    whole: bool = False

    @classmethod
    def of(cls, request: Request) -> "BoardAddress":
        """Read it; what is not a filter of ours does not filter."""
        query = request.query_params
        kind = query.get("kind", "")
        return cls(
            state=_one_of(AlertState, query.get("state", "")),
            severity=_one_of(Severity, query.get("severity", "")),
            kind=kind if kind in RULES else _one_of(NoticeKind, kind),
            street=_street(query.get("street", "")),
            mine=query.get("mine") == "1",
            unclaimed=query.get("unclaimed") == "1" and query.get("mine") != "1",
            search=query.get("q", "").strip()[:LONGEST_SEARCH],
            start=_start(query.get("start", "")),
            alert=_id(query.get("alert", "")),
            whole=query.get("whole") == "1",
        )

    def wanted(self, owner: str) -> AlertFilter:
        """Return the filter; without a state the open alerts."""
        return AlertFilter(
            states=frozenset({AlertState(self.state)}) if self.state else OPEN,
            severities=frozenset({Severity(self.severity)}) if self.severity else frozenset(),
            kinds=frozenset({self.kind}) if self.kind else frozenset(),
            division=self.street,
            owner=owner if self.mine else "",
            unclaimed=self.unclaimed,
            text=self.search,
        )

    def query(self, **changes: Any) -> str:
        """Return the address's query with other values, `?` included; empty when nothing is set.

        Another list begins at its first row, and another alert as a sheet.
        """
        other = replace(self, **changes)
        if "alert" in changes and "whole" not in changes:
            other = replace(other, whole=False)
        if "start" not in changes and other.filters() != self.filters():
            other = replace(other, start=0)
        values = {
            "state": other.state,
            "severity": other.severity,
            "kind": other.kind,
            "street": other.street,
            "mine": "1" if other.mine else "",
            "unclaimed": "1" if other.unclaimed else "",
            "q": other.search,
            "start": str(other.start) if other.start else "",
            "alert": str(other.alert) if other.alert else "",
            "whole": "1" if other.whole and other.alert else "",
        }
        encoded = urlencode({name: value for name, value in values.items() if value})
        return f"?{encoded}" if encoded else ""

    def filters(self) -> tuple[str | bool, ...]:
        """Return what makes the list another one."""
        return self.state, self.severity, self.kind, self.street, self.mine, self.unclaimed, self.search

    def to(self, **changes: Any) -> str:
        """Return the board's address with other values."""
        return "/" + self.query(**changes)


def _one_of(values: Any, text: str) -> str:
    return text if text in {each.value for each in values} else ""


def _street(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) == STREET_DIGITS else ""


def _start(text: str) -> int:
    """Read where a page of the list begins; what is no such number, or too far to be one, is the beginning."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= START_DIGITS else 0


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
