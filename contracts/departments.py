"""The departments that have a topic of their own: which service writes it, and what about."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from contracts import topics

# A department that rests over a long holiday still reads everything.
RETENTION_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Department:
    """A department by the name of its unit, which its Kafka user has too.

    `carries` says in Chinese and English what the department is told; the types of its events are those of
    DEPARTMENT_TYPES in contracts/envelope.py.
    """

    name: str
    topic: str
    owner: str
    carries: tuple[str, str]


_ALL: Final = (
    Department(
        "fire",
        topics.ALERTS_DEPARTMENT_FIRE,
        "alerts",
        (
            "有人居住且存在紧迫危险的房屋：地点、隐患、人数，以及情况何时结束。",
            "Premises with an imminent hazard and people inside: place, hazards, how many people, and the end of it.",
        ),
    ),
    # Of a worker under 16 in a dormitory or site shed the alert names the premises; who the child is travels here.
    Department(
        "child-protection",
        topics.ALERTS_DEPARTMENT_CHILD_PROTECTION,
        "alerts",
        ("居住在务工人员宿舍的未满十六周岁儿童。", "Children under 16 who live where workers are housed."),
    ),
    # Schooling is asked for when a child is registered, so registration refers it.
    Department(
        "education",
        topics.REGISTRATION_DEPARTMENT_EDUCATION,
        "registration",
        (
            "经监护人同意的登记儿童入学转介。",
            "Referrals for schooling of registered children, with their guardians' consent.",
        ),
    ),
)

DEPARTMENTS: Final[Mapping[str, Department]] = MappingProxyType({each.name: each for each in _ALL})


def of_owner(service: str) -> tuple[Department, ...]:
    """The departments whose topics this service writes."""
    return tuple(each for each in _ALL if each.owner == service)
