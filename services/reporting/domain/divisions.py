"""Divisions as a tree: county, street, community (GB/T 2260 and GB/T 10114: 6, 9 and 12 digits)."""

from collections.abc import Iterable, Mapping

LEVELS = (6, 9, 12)


def level_of(code: str) -> str:
    """Return the division of the tree that a code of 6 to 12 digits belongs to: its longest whole level."""
    return code[: max(level for level in LEVELS if level <= len(code))]


def ancestors(division: str) -> list[str]:
    """Return the divisions above one, nearest first."""
    return [division[:level] for level in reversed(LEVELS) if level < len(division)]


# What is counted at a division itself while it also has parts: it can be reckoned as the whole without its parts.
REST = "/rest"


def children(codes: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return each division that has parts, with its parts, for divisions that something was counted at."""
    counted = set(codes)
    found: dict[str, set[str]] = {}
    for division in counted:
        part = division
        for above in ancestors(division):
            found.setdefault(above, set()).add(part)
            part = above
    return {
        division: frozenset(parts | ({division + REST} if division in counted else set()))
        for division, parts in found.items()
    }
