"""The checklist's items in the reader's words, and what happened to premises as a page lists it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chassis.web import i18n
from chassis.web.i18n import gettext as _
from policy.checklists import Checklist
from policy.packs import Packs
from services.housing.domain.inspections import Inspection
from services.housing.use_cases.queries import Details

# A pack is in force from a day of the city's calendar.
CITY = ZoneInfo("Asia/Shanghai")


def checklist_now(packs: Packs, division_code: str) -> Checklist:
    """Return the checklist in force today."""
    return packs.on(datetime.now(UTC).astimezone(CITY).date(), division_code).checklist


def item_words(packs: Packs, details: Details) -> Mapping[str, str]:
    """Return the text of every item that the premises' visits or today's checklist know."""
    versions = {visit.checklist_version for visit in details.visits}
    lists = [*(packs.checklist(version) for version in versions), checklist_now(packs, details.premises.division_code)]
    english = i18n.language() == "en"
    return {code: item.en if english else item.zh for each in lists for code, item in each.by_code.items()}


def happened(details: Details, words_of: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return visits, clearances, closures and the letter, the latest first, as the macro `history` takes them."""
    entries = [_visit(visit, words_of) for visit in details.visits]
    for hazard in details.cleared:
        entries.append(_entry(hazard.cleared_at, _("Hazard cleared"), words_of.get(hazard.item, hazard.item)))
    for closure in details.closures:
        number = closure.headcount
        entries.append(
            _entry(closure.closed_at, _("Closed, %(num)s lived there") % {"num": number}, closure.reason, "bad")
        )
        if closure.reopened_at is not None:
            entries.append(_entry(closure.reopened_at, _("Opened again"), closure.reopened_reason or ""))
    if (letter := details.premises.letter) is not None:
        entries.append(_entry(letter.signed_at, _("Letter signed"), _("version %(num)s") % {"num": letter.version}))
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


OUTCOMES: Mapping[str, Callable[[], str]] = {
    "nobody_home": lambda: _("Nobody home"),
    "refused": lambda: _("Entry refused"),
}


def _visit(visit: Inspection, words_of: Mapping[str, str]) -> dict[str, Any]:
    failed = [words_of.get(finding.item, finding.item) for finding in visit.items if finding.result == "fail"]
    passed = sum(finding.result == "pass" for finding in visit.items)
    if failed:
        return _entry(visit.inspected_at, _("%(num)s failed") % {"num": len(failed)}, " / ".join(failed), "bad")
    if visit.outcome == "done":
        return _entry(visit.inspected_at, _("Passed, %(num)s items") % {"num": passed}, "")
    return _entry(visit.inspected_at, OUTCOMES[visit.outcome](), "")


def _entry(at: datetime | None, text: str, note: str, mark: str = "") -> dict[str, Any]:
    return {"at": at, "text": text, "note": note, "mark": mark}
