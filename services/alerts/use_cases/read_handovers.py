"""What the handover page shows: offers with alerts and notes, what was handed over lately, what nobody has taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.data.db import Transaction
from chassis.data.encryption import Keyring
from services.alerts.domain.alerts import Alert
from services.alerts.domain.handovers import OWNED, Handover
from services.alerts.storage import alert_store, handover_store, premises_store, wall_store
from services.alerts.storage.alert_store import AlertFilter
from services.alerts.storage.premises_store import Place
from services.alerts.use_cases.offer_handover import NOTE

# A week of three shifts.
LATEST = 21
# What a page lists of one officer's alerts; the board has them all.
ROWS = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """A handover with its note readable (None where its key was erased), and while it is open the giver's alerts."""

    handover: Handover
    note: str | None
    alerts: Sequence[Alert] = ()


@dataclass(frozen=True, slots=True)
class Handovers:
    """`mine` is the reader's own open offer, `alerts` what they answer for; `waiting` how many alerts are nobody's."""

    mine: Offer | None
    offered: Sequence[Offer]
    taken: Sequence[Offer]
    alerts: Sequence[Alert]
    places: Mapping[UUID, Place]
    waiting: int


async def read_handovers(tx: Transaction, reader: str, keyring: Keyring) -> Handovers:
    """Return the page for an officer."""
    still_open, taken = await handover_store.still_open(tx), await handover_store.latest_taken(tx, LATEST)
    keys = await keyring.subject_keys(tx, [each.handover_id for each in (*still_open, *taken)])

    def note(handover: Handover) -> str | None:
        key = keys.get(handover.handover_id)
        return key.open(handover.note, NOTE) if key else None

    offers = [Offer(each, note(each), await _owned(tx, each.giver.subject)) for each in still_open]
    mine = await _owned(tx, reader)
    shown = {alert.premises_id for offer in offers for alert in offer.alerts} | {each.premises_id for each in mine}
    return Handovers(
        mine=next((each for each in offers if each.handover.giver.subject == reader), None),
        offered=[each for each in offers if each.handover.giver.subject != reader],
        taken=[Offer(each, note(each)) for each in taken],
        alerts=mine,
        places=await premises_store.places(tx, shown),
        waiting=sum((await wall_store.waiting(tx)).values()),
    )


async def _owned(tx: Transaction, owner: str) -> Sequence[Alert]:
    return await alert_store.list_urgent(tx, AlertFilter(states=OWNED, owner=owner), limit=ROWS)
