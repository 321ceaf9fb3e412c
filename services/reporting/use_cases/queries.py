"""What reporting is asked: figures of a day, with small cells hidden."""

from datetime import date, datetime, timedelta

from chassis.data.db import Transaction
from policy.packs import Packs
from services.reporting.domain.alert_counts import Period
from services.reporting.domain.housing_counts import Housing
from services.reporting.domain.occupancy import Day
from services.reporting.domain.periods import check_period
from services.reporting.domain.read_models import Owner
from services.reporting.storage import arrived, days, opening


async def opened_at(tx: Transaction) -> datetime:
    """Return the moment from which figures can stand here, UTC."""
    return await opening.opened_at(tx)


async def arrived_at(tx: Transaction, owner: Owner) -> datetime | None:
    """Return when counts of an owner came last, UTC; None while none has come."""
    return await arrived.last(tx, owner)


async def known_counts(tx: Transaction, owner: Owner) -> set[tuple[date, str, str]]:
    """Return day, division and kind of the counts that stand here."""
    return await days.keys(tx, owner)


async def hold(tx: Transaction) -> None:
    """Hold the read models until the transaction's end: nothing is written to them, everything can be read."""
    await days.lock(tx)


async def occupancy(tx: Transaction, packs: Packs, division: str, on: date) -> Day:
    """Return who was registered, came and went on a day. What is small is hidden by the pack of that day."""
    least = packs.on(on, division).suppression.least_cell
    return Day(
        registered=await days.registered(tx, on),
        before=await days.registered(tx, on - timedelta(days=1)),
        flows=await days.flows(tx, on),
        least=least,
    )


async def alert_counts(tx: Transaction, packs: Packs, division: str, first: date, last: date) -> Period:
    """Return how many alerts there were on the days from first to last. Raises BadQuestion."""
    check_period(first, last)
    rules = packs.on(last, division)
    # Rules of this pack are about the state of premises; an alert of any other kind is about a person.
    of_premises = frozenset(rules.conditions.by_rule)
    return Period(await days.counts(tx, Owner.ALERTS, first, last), rules.suppression.least_cell, of_premises)


async def housing_counts(tx: Transaction, first: date, last: date) -> Housing:
    """Return premises and hazards at the end of the days from first to last, and what happened on them."""
    check_period(first, last)
    return Housing(await days.newest_counts(tx, Owner.HOUSING, last), await days.counts(tx, Owner.HOUSING, first, last))
