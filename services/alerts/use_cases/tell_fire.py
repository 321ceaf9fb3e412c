"""Tells the fire department when an imminent hazard has people inside, when that changes, and when it ends."""

from datetime import datetime

from chassis.data.db import Transaction
from services.alerts import events
from services.alerts.domain.alerts import Alert
from services.alerts.domain.cases import FIRE, CaseState, FireCase, told_state
from services.alerts.domain.rules import IMMINENT
from services.alerts.storage import department_store, dwelling_store, premises_store


async def tell_fire(tx: Transaction, before: Alert | None, after: Alert, at: datetime) -> None:
    """Emit what this change of an alert means for the department, to its topic and to its feed over HTTP.

    The caller holds the lock on the alert and has stored the change.
    """
    state = told_state(before, after)
    if state is None:
        return
    last = await department_store.last_of_case(tx, after.alert_id)
    row = await dwelling_store.load(tx, after.premises_id)
    place = (await premises_store.places(tx, [after.premises_id])).get(after.premises_id)
    premises = row.premises if row else None
    runs_on = last is not None and last["state"] == CaseState.OPEN.value
    case = FireCase(
        case_id=after.alert_id,
        premises_id=after.premises_id,
        # Of premises that housing publishes no more the case keeps what was told last.
        address=place.address if place else last["address"] if last else after.division_code,
        division_code=after.division_code,
        latitude=premises.latitude if premises else None,
        longitude=premises.longitude if premises else None,
        imminent=tuple(sorted({each.item for each in premises.hazards if each.severity == IMMINENT}))
        if premises
        else (),
        headcount=(row.headcount or 0) if row else 0,
        since=datetime.fromisoformat(last["since"]) if last and runs_on else at,
        state=state,
    )
    emission = events.fire_case_changed(case, at)
    assert emission.model is not None
    tx.emit(emission)
    department_store.record(
        tx,
        FIRE,
        event_id=emission.event_id,
        type_=emission.type,
        case_id=case.case_id,
        at=at,
        value=emission.model.model_dump(mode="json", exclude_none=True),
    )
