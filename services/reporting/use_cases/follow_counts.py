"""An owner published counts of days: keep the newest."""

from collections.abc import Sequence

from chassis.data.db import Transaction
from services.reporting.domain.read_models import Counted, Owner
from services.reporting.storage import arrived, days


async def follow_counts(tx: Transaction, owner: Owner, counted: Sequence[Counted]) -> None:
    """Keep counts with a newer version (epoch, number) than what is here, and note that they came now."""
    await days.apply(tx, owner, counted)
    await arrived.note(tx, owner)
