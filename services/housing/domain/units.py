"""Units as housing knows them: which areas they have, and what their people may do at premises."""

from dataclasses import dataclass

INSPECTOR = "inspector"
OPERATOR = "premises_operator"


class OutsideArea(Exception):
    """The premises lie outside what the actor's unit is responsible for."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the organisation, as registration published it last."""

    unit_id: str
    name_zh: str
    name_en: str
    kind: str
    parent: str | None
    areas: tuple[str, ...]

    def name(self, language: str) -> str:
        """Return the name in a page's language (`zh-CN` or `en`)."""
        return self.name_en if language == "en" else self.name_zh


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which role, for which unit, and which areas (prefixes of division codes) that unit has."""

    subject: str
    role: str
    unit: str
    areas: tuple[str, ...] = ()


def responsible_for(actor: Actor, division_code: str) -> bool:
    """Tell whether an inspector's unit is responsible for a division (interfaces.md, roles)."""
    return actor.role == INSPECTOR and any(division_code.startswith(area) for area in actor.areas)


def may_see(actor: Actor, division_code: str, operator_unit: str | None) -> bool:
    """Tell whether the actor may see premises: inspectors within their area, an operator's unit its own."""
    if actor.role == OPERATOR:
        return operator_unit == actor.unit
    return responsible_for(actor, division_code)
