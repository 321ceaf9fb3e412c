"""A row of a read model: the counts of one kind in one division on one day, under their owner's version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Owner(StrEnum):
    """Who published the counts."""

    REGISTRATION = "registration"
    HOUSING = "housing"
    ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of a day by measure; `version` is (epoch, number)."""

    day: date
    division_code: str
    kind: str
    counts: Mapping[str, int]
    version: tuple[int, int]
