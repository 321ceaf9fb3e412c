"""What the board calls divisions, and the subdistricts that it filters by."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from policy.division_names import name_of
from services.alerts.api.parts import Parts
from services.alerts.domain.alerts import city_day
from services.alerts.web.rule_words import reader_language


def area_name(parts: Parts, code: str) -> str:
    """Return a division's name in the reader's language; its code where no pack names it."""
    names = parts.packs.division_names(city_day(datetime.now(UTC)))
    return name_of(names, code, english=reader_language() == "en")


def streets(parts: Parts, numbers: Mapping[str, int], chosen: str) -> Sequence[tuple[str, str, int]]:
    """Return (code, name, open alerts) of each in the order of codes, so that no line moves under the hand.

    The chosen one is there without alerts too.
    """
    codes = sorted({*numbers, chosen} - {""})
    return [(code, area_name(parts, code), numbers.get(code, 0)) for code in codes]
