"""Follow what housing publishes about premises: where somebody can be registered."""

from collections.abc import Sequence

from chassis.data.db import Transaction
from services.registration.domain.premises import Premises
from services.registration.storage import premises


async def follow_premises(tx: Transaction, versions: Sequence[tuple[Premises, tuple[int, int]]]) -> None:
    """Keep premises with a newer version (epoch, number) than what is here."""
    await premises.apply(tx, versions)
