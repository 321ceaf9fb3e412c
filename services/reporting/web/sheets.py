"""Tables of a period as a page draws them and a file holds them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chassis.web.i18n import gettext as _
from services.reporting.domain.alert_counts import SECONDS as ALERT_SECONDS
from services.reporting.domain.alert_counts import STEPS, Period
from services.reporting.domain.housing_counts import FLOWS, LEVELS, SECONDS, SEVERITIES, Housing
from services.reporting.domain.tables import TOTAL
from services.reporting.web.division_names import DivisionNames
from services.reporting.web.exports import Row

Counts = Mapping[str, int | None]
Value = int | str | None
"""A count, a text, or None: hidden."""
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its columns, the first `charted` of them drawn too; rows of label, link and values; the last in bold."""

    id: str
    title: str
    first: str
    columns: Sequence[str]
    charted: int
    rows: Sequence[tuple[str, str, Sequence[Value]]]
    total: bool = True


def housing_sheets(housing: Housing, division: str, link: Callable[[str], str], names: DivisionNames) -> list[Sheet]:
    """Return premises and inspections by kind and by division, and hazards by severity."""
    whole = housing.counts(division)
    if not any(whole.values()):
        return []
    measures = (*LEVELS[:2], *FLOWS[:3])
    columns = [_("In use"), _("Out of use"), _("Inspected"), _("Nobody home"), _("Refused")]
    words = premises_kinds()

    def row(label: str, href: str, its: Counts) -> tuple[str, str, list[Value]]:
        return label, href, [its[each] for each in measures]

    kinds = [row(words.get(kind, kind), "", its) for kind, its in housing.kinds(division).items()]
    total = row(_("Total"), "", whole)
    parts = [row(names.of(part) or part, link(part), housing.counts(part)) for part in housing.parts(division)]
    severities = {"imminent": _("Imminent"), "serious": _("Serious"), "minor": _("Minor")}
    hazards = [
        (
            severities[each],
            "",
            [*(whole[f"hazards_{what}_{each}"] for what in ("found", "cleared", "open")), _mean(whole, SECONDS[place])],
        )
        for place, each in enumerate(SEVERITIES)
    ]
    heads = [_("Found"), _("Cleared"), _("Open at the end"), _("Time to clear, mean")]
    found = [
        Sheet("premises", _("Premises and inspections"), _("Kind of premises"), columns, 2, [*kinds, total]),
        Sheet("hazards", _("Hazards"), _("Severity"), heads, 3, hazards, total=False),
    ]
    if parts:
        found.append(Sheet("parts", _("By division"), _("Division"), columns, 0, parts, total=False))
    return found


def alert_sheets(
    period: Period, division: str, link: Callable[[str], str], names: DivisionNames, titles: Mapping[str, str]
) -> list[Sheet]:
    """Return alerts by kind and by division, and how long their steps took."""
    kinds = period.kinds(division)
    if not kinds:
        return []
    labels = {"notice": _("Notices"), **titles}
    rows: list[tuple[str, str, Counts]] = [(labels.get(kind, kind), "", its) for kind, its in kinds.items()]
    total: tuple[str, str, Counts] = (_("Total"), "", period.shown(division))
    parts: list[tuple[str, str, Counts]] = [
        (names.of(part) or part, link(part), period.shown(part)) for part in period.parts(division)
    ]
    steps = [_("Raised"), _("Acknowledged"), _("Verified"), _("Closed"), _("Cleared"), _("Retracted")]

    def counted(rows: Sequence[tuple[str, str, Counts]]) -> list[tuple[str, str, list[Value]]]:
        return [(label, href, [its[step] for step in STEPS]) for label, href, its in rows]

    times: list[tuple[str, str, list[Value]]] = [
        (label, href, [None if its["raised"] is None else _mean(its, each) for each in ALERT_SECONDS.values()])
        for label, href, its in (*rows, total)
    ]
    found = [
        Sheet("alerts", _("Alerts by kind"), _("Kind of alert"), steps, 4, counted([*rows, total])),
        Sheet("times", _("Time from raised, mean"), _("Kind of alert"), steps[1:5], 0, times),
    ]
    if parts:
        found.append(Sheet("parts", _("By division"), _("Division"), steps, 0, counted(parts), total=False))
    return found


def file_rows(
    head: Sequence[str],
    period: tuple[str, str],
    counted: Sequence[tuple[str, str, Counts]],
    measures: Sequence[str],
    names: DivisionNames,
) -> list[Row]:
    """Return rows for a file: division, its name, kind, and each measure by its code; means in seconds, or empty."""
    hidden = _("suppressed")

    def value(its: Counts, each: str) -> str | int:
        count = its[each]
        if count is not None:
            return count
        return "" if each.partition("_seconds")[1] and any(its.values()) else hidden

    return [
        (*head, *measures),
        *(
            (*period, division, names.of(division), kind, *(value(its, each) for each in measures))
            for division, kind, its in counted
        ),
    ]


def _mean(its: Counts, seconds: str) -> str:
    mean = its[seconds]
    if mean is None:
        return NOTHING
    minutes = mean // 60
    if minutes < 60:
        return _("%(minutes)s min") % {"minutes": minutes}
    if minutes < 48 * 60:
        return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}
    return _("%(days)s d %(hours)s h") % {"days": minutes // 1440, "hours": minutes % 1440 // 60}


def premises_kinds() -> dict[str, str]:
    """Return the kinds of premises in the reader's language."""
    return {
        "rental": _("Rental"),
        "shared_rental": _("Shared rental"),
        "hotel": _("Hotel"),
        "dormitory": _("Dormitory"),
        "site_shed": _("Site shed"),
        "market": _("Market"),
        "entertainment_venue": _("Entertainment venue"),
    }


def all_of_housing(housing: Housing, division: str) -> list[tuple[str, str, Counts]]:
    """Return what a file of housing holds: kinds, the total, parts."""
    return [
        *((division, kind, its) for kind, its in housing.kinds(division).items()),
        (division, TOTAL, housing.counts(division)),
        *((part, TOTAL, housing.counts(part)) for part in housing.parts(division)),
    ]


def all_of_alerts(period: Period, division: str) -> list[tuple[str, str, Counts]]:
    """Return what a file of alerts holds: kinds, the total, parts."""
    return [
        *((division, kind, its) for kind, its in period.kinds(division).items()),
        (division, TOTAL, period.shown(division)),
        *((part, TOTAL, period.shown(part)) for part in period.parts(division)),
    ]
