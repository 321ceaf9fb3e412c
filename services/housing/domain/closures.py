"""Closing premises and opening them again: who closes says how many people live there, and must be right."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.housing.domain.premises import Status


class WrongState(Exception):
    """The step is not possible in the premises' present status, which is told."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"premises are {status}")
        self.status = status


class HeadcountDiffers(Exception):
    """Another number of people lives there than was confirmed; the present one is told."""

    def __init__(self, headcount: int) -> None:
        super().__init__("the confirmed headcount is not the present one")
        self.headcount = headcount


@dataclass(frozen=True, slots=True)
class Closure:
    """That premises were closed: with how many people in them, and since when they are open again."""

    closure_id: UUID
    closed_at: datetime
    reason: str
    headcount: int
    reopened_at: datetime | None = None
    reopened_reason: str | None = None


def close(closure_id: UUID, status: Status, headcount: int, confirmed: int, reason: str, now: datetime) -> Closure:
    """Return the closure. Raises WrongState (only open premises are closed) and HeadcountDiffers."""
    if status != "open":
        raise WrongState(status)
    if confirmed != headcount:
        raise HeadcountDiffers(headcount)
    return Closure(closure_id, now, reason, headcount)
