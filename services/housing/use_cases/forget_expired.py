"""What housing forgets when its term is over: which classes of data go from which tables."""

from chassis.data.encryption import Keyring
from chassis.run.forgetting import Removal, plumbing
from services.housing.storage import closures, inspections, premises


def removals(keyring: Keyring) -> tuple[Removal, ...]:
    """Return them in the order in which they run; `keyring` is for the beginning of the audit chain."""
    visits = ("inspections", "inspection_items", "hazards")
    return (
        Removal(("inspection",), visits, inspections.forget),
        Removal(("inspection",), ("closures",), closures.forget),
        Removal(("operator",), ("premises", "letters", "subject_keys"), premises.forget_operators),
        *plumbing(keyring),
    )
