"""What alerts forgets when its term is over: which classes of data go from which tables."""

from chassis.data.encryption import Keyring
from chassis.run.forgetting import Removal, plumbing
from services.alerts.storage import alert_store, department_store, handover_store, notice_store


def removals(keyring: Keyring) -> tuple[Removal, ...]:
    """Return them in the order in which they run; `keyring` is for the beginning of the audit chain.

    Alerts go before the notices that they name.
    """
    return (
        Removal(("department_event",), ("department_events",), department_store.forget),
        Removal(("alert",), ("alerts", "alert_changes", "subject_keys"), alert_store.forget),
        Removal(("alert",), ("handovers",), handover_store.forget),
        Removal(("notice_token",), ("notice_terms",), notice_store.forget_tokens),
        Removal(("notice",), ("notices", "notice_terms", "notice_changes", "subject_keys"), notice_store.forget),
        *plumbing(keyring),
    )
