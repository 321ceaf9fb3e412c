"""Says what the rules have against a proposal, before a token is asked for and again when it is stored."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.data.db import Transaction
from policy.packs import Packs
from services.alerts.domain.alerts import city_day
from services.alerts.domain.contents import Asked, Fault, Limits, check
from services.alerts.storage import unit_store


async def check_proposal(
    tx: Transaction, asked: Asked, packs: Packs, district: str, now: datetime | None = None
) -> Sequence[Fault]:
    """Return every fault; `now` is the database's time unless the caller has it already."""
    now = now or await tx.database_time()
    kinds = {unit_id: unit.kind for unit_id, unit in (await unit_store.all_units(tx)).items()}
    return check(asked, _limits(asked, packs, district, now), kinds, now)


def _limits(asked: Asked, packs: Packs, district: str, now: datetime) -> Limits:
    """What the packs in force today allow a notice of this kind that starts then."""
    rules = packs.on(city_day(now), district).notices
    return Limits(
        instruments=frozenset(rules.instruments(asked.kind.value)),
        earliest_start=now - timedelta(days=rules.starts_at_most_days_back),
        latest_start=now + timedelta(days=rules.starts_at_most_days_ahead),
        latest_end=rules.latest_end(asked.kind.value, asked.starts_at),
    )
