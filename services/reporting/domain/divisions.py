"""Divisions as a tree: county, street, community (GB/T 2260 and GB/T 10114: 6, 9 and 12 digits)."""

LEVELS = (6, 9, 12)
# What is counted at a street or county itself: reckoned as the whole without its parts, so it is a part like others.
REST = "/rest"


def level_of(code: str) -> str:
    """Return the division of the tree that a code of 6 to 12 digits belongs to: its longest whole level."""
    return code[: max(level for level in LEVELS if level <= len(code))]


def leaf_of(code: str) -> str:
    """Return the smallest part of the tree that a code is counted at: a community, or the rest of what lies above."""
    division = level_of(code)
    return division if len(division) == LEVELS[-1] else division + REST


def ancestors(division: str) -> list[str]:
    """Return the divisions above one, nearest first."""
    if division.endswith(REST):
        return [division.removesuffix(REST), *ancestors(division.removesuffix(REST))]
    return [division[:level] for level in reversed(LEVELS) if level < len(division)]
