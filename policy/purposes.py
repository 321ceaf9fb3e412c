"""For which purposes a role may read personal data (interfaces.md, roles)."""

from collections.abc import Mapping
from typing import Final

_DESK: Final = frozenset({"registration_service", "safety_inspection"})

BY_ROLE: Final[Mapping[str, frozenset[str]]] = {
    "clerk": _DESK,
    "inspector": _DESK,
    "premises_operator": _DESK,
    "duty_officer": frozenset({"notice_verification"}),
    # The subject of a notice, to its author's unit and to an approver who may decide on it.
    "notice_author": frozenset({"notice_verification"}),
    "notice_approver": frozenset({"notice_verification"}),
    "resident": frozenset({"subject_request"}),
    "overseer": frozenset({"oversight"}),
}


def allowed(role: str) -> frozenset[str]:
    """The purposes a role may name when it reads personal data; none for a role that reads none."""
    return BY_ROLE.get(role, frozenset())
