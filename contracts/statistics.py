"""What the counts of a day have in common, whoever publishes them: day, division, and the record's key."""

from datetime import date
from typing import Annotated

from contracts.event import DivisionCode, State
from contracts.fields import field, tags

# Sums over a division, without person or dwelling. A small one may still tell something to who knows the place: only
# reporting reads these topics, and shows no cell below the limit of the rule pack `suppression`.
COUNT = tags(purpose="statistics", basis="not_personal", class_="none", retention="statistics")


class Statistics(State):
    """Counts of one kind in one division on one day. Each child adds `kind` and its counts; all counts are whole.

    An owner publishes a day again whenever something late or corrected changes it; a reader keeps the newest version.
    """

    day: Annotated[date, field(COUNT, description="a day of Asia/Shanghai")]
    division_code: Annotated[DivisionCode, field(COUNT)]


def key(day: date, division_code: str, kind: str) -> str:
    """The record's key: `2026-11-24/330199001/tenant`."""
    return f"{day.isoformat()}/{division_code}/{kind}"


def parse_key(text: str) -> tuple[date, str, str] | None:
    """Day, division and kind of a record's key; None if it is no such key."""
    match text.split("/"):
        case [day, division_code, kind]:
            try:
                return date.fromisoformat(day), division_code, kind
            except ValueError:
                return None
    return None
