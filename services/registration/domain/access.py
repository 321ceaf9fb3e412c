"""Who acts, why somebody reads personal data, and what a unit's people may do where."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

# interfaces.md, roles.
AREA_ROLES = frozenset({"clerk", "inspector"})
OPERATOR = "premises_operator"
DUTY_OFFICER = "duty_officer"


class OutsideArea(Exception):
    """The premises lie outside what the actor's unit is responsible for."""


class NoSuchAlert(Exception):
    """The case is not an alert of this stay that its officer may act on."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which role, for which unit, and which areas that unit has."""

    subject: str
    role: str
    unit: str
    areas: tuple[str, ...] = ()


def may_act_at(actor: Actor, division_code: str, operator_unit: str | None) -> bool:
    """Tell whether the actor may register, read and look up at premises in this division, run by this unit.

    Clerks and inspectors within the unit's area; an operator only where the own unit operates.
    """
    if actor.role in AREA_ROLES:
        return any(division_code.startswith(area) for area in actor.areas)
    return actor.role == OPERATOR and operator_unit == actor.unit


def check_reach(actor: Actor, areas: Iterable[str], division_code: str, operator_unit: str | None) -> None:
    """Raise OutsideArea unless the actor, whose unit has these areas, may act there."""
    if not may_act_at(replace(actor, areas=tuple(areas)), division_code, operator_unit):
        raise OutsideArea


@dataclass(frozen=True, slots=True)
class Reason:
    """Why personal data is read; logged with each read."""

    purpose: str
    case: str
