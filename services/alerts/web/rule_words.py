"""How today's rule packs call rules and checklist items, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from chassis.web import i18n
from services.alerts.api.parts import Parts
from services.alerts.domain.alerts import city_day
from services.alerts.domain.rules import RULES


@dataclass(frozen=True, slots=True)
class RuleWords:
    """Rules by their name, checklist items by their code."""

    titles: Mapping[str, str]
    items: Mapping[str, str]


def reader_language() -> Literal["zh", "en"]:
    """Return the reader's language as packs name it."""
    return "en" if i18n.language() == "en" else "zh"


def rule_words(parts: Parts) -> RuleWords:
    """Return the words of the packs in force."""
    packs = parts.packs.on(city_day(datetime.now(UTC)), parts.district)
    language = reader_language()
    return RuleWords(
        titles={name: packs.conditions.of(name).title(language) for name in RULES},
        items={code: getattr(item, language) for code, item in packs.checklist.by_code.items()},
    )
