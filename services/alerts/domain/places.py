"""How exactly a place may be named where everybody in the room reads it: to the community, or to the street office."""

import re

# A standard address begins with its street office (or town) and community. Neither holds a digit, a space or the name
# of a road: what is found is then never as fine as a building or an estate.
STREET = re.compile(r"[^\d\s]{0,20}?(?:街道|镇|乡)")
COMMUNITY = re.compile(r"[^\d\s路街巷弄]{1,12}?(?:社区|村)")
# Its alerts say where somebody lives whom another person must not find (look.md 2).
TO_STREET_ONLY = frozenset({"protection_order"})


def street_and_community(address: str) -> tuple[str, str]:
    """Return the two as a standard address names them, each empty where it does not."""
    street = STREET.match(address)
    if street is None:
        return "", ""
    community = COMMUNITY.match(address, street.end())
    return street.group(), community.group() if community else ""


def coarse(address: str, kind: str) -> str:
    """Return how an alert's place is named on a wall; empty when the address is not a standard one."""
    street, community = street_and_community(address)
    return street if kind in TO_STREET_ONLY else street + community
