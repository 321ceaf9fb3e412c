"""Empty the read models and fill them again with what the topics say."""

from collections.abc import Mapping, Sequence

from chassis.data.db import Transaction
from services.reporting.domain.read_models import Counted, Owner
from services.reporting.storage import days


async def rebuild(tx: Transaction, logs: Mapping[Owner, Sequence[Counted]]) -> Mapping[Owner, int]:
    """Replace the read models' rows; return how many each has now.

    The caller has locked them (`queries.hold`) before it read the ends of the logs: whatever stood here came from the
    logs before those ends, and whatever comes after waits until the rows stand.
    """
    for owner, counted in logs.items():
        await days.empty(tx, owner)
        await days.apply(tx, owner, counted)
    return {owner: len(counted) for owner, counted in logs.items()}
