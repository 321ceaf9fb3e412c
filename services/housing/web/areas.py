"""What pages call divisions."""

from collections.abc import Callable
from datetime import UTC, datetime

from chassis.web import i18n
from policy.division_names import name_of
from policy.packs import Packs
from services.housing.web.items import CITY


def area_names(packs: Packs) -> Callable[[str], str]:
    """Return what gives a division's name of today in the reader's language, by its code."""
    names = packs.division_names(datetime.now(UTC).astimezone(CITY).date())
    return lambda code: name_of(names, code, english=i18n.language() == "en")
