"""What registration forgets when its term is over: which classes of data go from which tables."""

from chassis.data.encryption import Keyring
from chassis.run.forgetting import Removal, plumbing
from services.registration.storage import alerts, stays, token_requests


def removals(keyring: Keyring) -> tuple[Removal, ...]:
    """Return them in the order in which they run; `keyring` is for the beginning of the audit chain.

    A person goes with the last stay, and so does the key that opens what was sealed. Matching tokens go earlier, with
    the departure.
    """
    people = ("persons", "subject_keys")
    return (
        Removal(("stay", "person", "matched_token"), ("stays", "corrections", *people), stays.forget),
        Removal(("stay_alert",), ("stay_alerts",), alerts.forget),
        Removal(("token_request",), ("token_requests",), token_requests.forget),
        *plumbing(keyring),
    )
