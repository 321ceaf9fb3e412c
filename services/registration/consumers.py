"""What registration listens to, and which use case each event is for."""

from collections.abc import Sequence

from pydantic import ValidationError

from chassis.data.db import Transaction
from chassis.events.histories import HistorySubscription, each
from chassis.events.records import BadRecord, Record, StateRecord
from chassis.events.states import StateSubscription
from contracts import envelope, topics
from contracts.alerts import AlertEventV1, NoticeActivatedV1
from contracts.housing import PremisesV1
from services.registration.domain.premises import Premises, Room
from services.registration.use_cases import queries
from services.registration.use_cases.follow_premises import follow_premises
from services.registration.use_cases.forget_premises import forget_premises
from services.registration.use_cases.note_alert import note_alert
from services.registration.use_cases.report_presence import report_presence

ALERT_TYPES = {type_ for type_, model in envelope.TYPES.items() if issubclass(model, AlertEventV1)}


async def notice(tx: Transaction, record: Record) -> None:
    """A notice became active: who is here now? Its end needs nothing of us."""
    if record.type != envelope.NOTICE_ACTIVATED:
        return
    try:
        event = NoticeActivatedV1.model_validate_json(record.value)
    except ValidationError:
        raise BadRecord("invalid-value") from None
    await report_presence(
        tx,
        token=event.token.value if event.token else None,
        expiry_token=event.expiry_token.value if event.expiry_token else None,
    )


async def alert(tx: Transaction, record: Record) -> None:
    """A notice's alert of a stay was raised or changed its state."""
    if record.type not in ALERT_TYPES:
        return
    try:
        event = AlertEventV1.model_validate_json(record.value)
    except ValidationError:
        raise BadRecord("invalid-value") from None
    await note_alert(
        tx, alert_id=event.alert_id, stay_id=event.stay_id, state=event.state.value, changed_at=event.occurred_at
    )


async def premises(tx: Transaction, records: Sequence[StateRecord]) -> None:
    """Housing published premises; of those in one batch the last counts."""
    last = {record.key: record for record in records}
    gone = [key for key, record in last.items() if record.value is None]
    here = [(_premises(record.value), record.version) for record in last.values() if record.value is not None]
    await follow_premises(tx, here)
    if gone:
        await forget_premises(tx, gone)


def _premises(value: bytes) -> Premises:
    try:
        event = PremisesV1.model_validate_json(value)
    except ValidationError:
        raise BadRecord("invalid-value") from None
    return Premises(
        premises_id=event.premises_id,
        kind=event.kind.value,
        status=event.status.value,
        address=event.address,
        division_code=event.division_code,
        operator_unit=event.operator_unit,
        rooms=tuple(Room(room.number, room.type.value, room.capacity) for room in event.rooms),
    )


def subscriptions() -> list[HistorySubscription | StateSubscription]:
    """Return what the worker subscribes to."""
    return [
        HistorySubscription(
            topic=topics.ALERTS_NOTICES, group="registration.notices", handle=each(notice), handle_one=notice
        ),
        HistorySubscription(
            topic=topics.ALERTS_ALERTS, group="registration.alerts", handle=each(alert), handle_one=alert
        ),
        StateSubscription(
            topic=topics.HOUSING_PREMISES,
            group="registration.premises",
            apply=premises,
            keys=queries.known_premises,
            drop=forget_premises,
        ),
    ]
