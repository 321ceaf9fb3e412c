"""What an inspector looks at, by kind of premises, and how grave each finding is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from policy.capacity import PREMISES_KINDS
from policy.reading import Value, two_languages

HazardSeverity = Literal["minor", "serious", "imminent"]
# 一般隐患, 重大隐患, 紧迫危险: in this order from the least to the gravest.
HAZARD_SEVERITIES: Final[tuple[HazardSeverity, ...]] = ("minor", "serious", "imminent")
# As long as the events that name a version allow.
_LONGEST_VERSION: Final = 20


class UnknownItem(LookupError):
    """The checklist has no such item, or not for this kind of premises."""

    def __init__(self, code: str, kind: str) -> None:
        super().__init__(f"no item {code!r} for premises of kind {kind!r}")
        self.code = code
        self.kind = kind


class UnknownVersion(LookupError):
    """There never was a checklist of this version."""


class SeverityLowered(ValueError):
    """An inspector may raise an item's severity, not lower it."""

    def __init__(self, code: str, least: HazardSeverity) -> None:
        super().__init__(f"{code} is {least} at the least")
        self.code = code
        self.least = least


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at. `zh` and `en` say how it must be; `source` names the article or standard that asks it."""

    code: str
    zh: str
    en: str
    severity: HazardSeverity
    premises_kinds: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Checklist:
    """One version of the checklist. Its items are never changed: another text or severity is another version."""

    version: str
    by_code: Mapping[str, Item]

    def items(self, kind: str) -> tuple[Item, ...]:
        """What to look at in premises of a kind, in the order of the pack; a KeyError for no such kind."""
        if kind not in PREMISES_KINDS:
            raise KeyError(kind)
        return tuple(item for item in self.by_code.values() if kind in item.premises_kinds)

    def item(self, code: str, kind: str) -> Item:
        """One item; raises UnknownItem where the kind of premises does not have it."""
        item = self.by_code.get(code)
        if item is None or kind not in item.premises_kinds:
            raise UnknownItem(code, kind)
        return item

    def severity(self, code: str, kind: str, raised_to: HazardSeverity | None = None) -> HazardSeverity:
        """How grave it is that an item fails: the pack's severity, or the graver one the inspector gives.

        Raises UnknownItem as `item` does, SeverityLowered for a lesser one.
        """
        item = self.item(code, kind)
        if raised_to is None:
            return item.severity
        if HAZARD_SEVERITIES.index(raised_to) < HAZARD_SEVERITIES.index(item.severity):
            raise SeverityLowered(code, item.severity)
        return raised_to


def worst(severities: Iterable[HazardSeverity]) -> HazardSeverity | None:
    """The gravest of some severities, None of none."""
    return max(severities, key=HAZARD_SEVERITIES.index, default=None)


def _item(value: Value) -> tuple[tuple[str, str], HazardSeverity, tuple[str, ...], str]:
    record = value.record(("text", "severity", "premises_kinds", "source"))
    kinds = tuple(one.one_of(PREMISES_KINDS) for one in record["premises_kinds"].items())
    if len(set(kinds)) != len(kinds):
        raise record["premises_kinds"].refuse("a kind stands here twice")
    severity = cast("HazardSeverity", record["severity"].one_of(HAZARD_SEVERITIES))
    return two_languages(record["text"]), severity, kinds, record["source"].text()


def read(version: str, values: Value) -> Checklist:
    """The `values` of a pack `inspection_checklist` of that version."""
    if len(version) > _LONGEST_VERSION:
        raise values.refuse(f"the version of a checklist has {_LONGEST_VERSION} characters at most")
    items = values.record(("items",))["items"]
    by_code = {
        code: Item(code, zh, en, severity, kinds, source)
        for code, ((zh, en), severity, kinds, source) in items.codes(_item).items()
    }
    checklist = Checklist(version=version, by_code=by_code)
    bare = [kind for kind in PREMISES_KINDS if not checklist.items(kind)]
    if bare:
        raise items.refuse(f"nothing is to be looked at in {', '.join(bare)}")
    return checklist
