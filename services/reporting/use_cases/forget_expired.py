"""What reporting forgets when its term is over: the plumbing's alone; counts name nobody and are kept for good."""

from chassis.data.encryption import Keyring
from chassis.run.forgetting import Removal, plumbing


def removals(keyring: Keyring) -> tuple[Removal, ...]:
    """Return them in the order in which they run; `keyring` is for the beginning of the audit chain."""
    return plumbing(keyring)
