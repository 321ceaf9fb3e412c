"""A notice has become active and asks once who is here now: answered with open stays, and only with those."""

from chassis.data.db import Transaction
from services.registration import events
from services.registration.storage import stays


async def report_presence(tx: Transaction, *, token: str | None, expiry_token: str | None) -> int:
    """Publish `person-present` for each open stay that the notice means; return how many.

    A notice with an expiry token (a lost document) means number and date together. The stays are locked first, so that
    a departure or correction at the same moment comes before or after, never between.
    """
    if expiry_token is not None:
        present = await stays.lock_present(tx, tokens=[], expiry_tokens=[expiry_token])
    elif token is not None:
        present = await stays.lock_present(tx, tokens=[token], expiry_tokens=[])
    else:
        return 0
    recorded_at = await tx.database_time()
    for one in present:
        tx.emit(events.person_present(one.facts, one.tokens, recorded_at))
    return len(present)
