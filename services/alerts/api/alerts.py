"""The API of alerts for machines: list, read, take steps, follow the stream."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator

from chassis.data.db import Transaction
from chassis.data.encryption import KeyErased
from chassis.web import i18n
from chassis.web.access import Caller, require
from chassis.web.app import api_router
from chassis.web.idempotent import answer, once_for
from services.alerts.api.bodies import alert_body, alert_view_body, read_cursor, write_cursor
from services.alerts.api.models import (
    AcknowledgementBody,
    ClosureBody,
    NoteBody,
    ReasonBody,
    VerificationBody,
)
from services.alerts.api.parts import Parts, officer, optional_reading
from services.alerts.domain.alerts import Alert, AlertState, Severity
from services.alerts.use_cases import queries
from services.alerts.use_cases.acknowledge_alert import acknowledge_alert
from services.alerts.use_cases.close_alert import close_alert
from services.alerts.use_cases.escalate_alert import escalate_alert
from services.alerts.use_cases.note_on_alert import note_on_alert
from services.alerts.use_cases.open_alert_subject import open_alert_subject
from services.alerts.use_cases.queries import AlertFilter
from services.alerts.use_cases.reopen_alert import reopen_alert
from services.alerts.use_cases.verify_alert import verify_alert

DutyOfficer = Annotated[Caller, Depends(require("duty_officer"))]
Division = Annotated[str, Query(pattern=r"^([0-9]{2,12})?$")]
Limit = Annotated[int, Query(ge=1, le=100)]
# `?state=` is what a form with nothing chosen sends: the same as no state.
Chosen = BeforeValidator(lambda given: [each for each in given if each != ""])


def routes(parts: Parts) -> APIRouter:
    """Return the router."""
    router = api_router()

    @router.get("/alerts")
    async def get_alerts(
        _caller: DutyOfficer,
        state: Annotated[list[AlertState], Chosen, Query()] = [],  # noqa: B006 - FastAPI copies it
        severity: Annotated[list[Severity], Chosen, Query()] = [],  # noqa: B006
        division: Division = "",
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """List alerts, newest first, with the stream's position that fits the list."""
        wanted = AlertFilter(frozenset(state), frozenset(severity), division=division)
        before = read_cursor(cursor) if cursor else None
        async with parts.db.read() as tx:
            page = await queries.list_alerts(tx, wanted, before=before, limit=limit + 1)
        shown = page.alerts[:limit]
        last = shown[-1] if len(page.alerts) > limit else None
        return {
            "items": [alert_body(alert, page.places.get(alert.premises_id)) for alert in shown],
            "next": write_cursor(last.raised_at, last.alert_id) if last else None,
            "stream_position": page.stream_position,
        }

    @router.get("/alerts/{alert_id}")
    async def get_alert(request: Request, alert_id: UUID, caller: DutyOfficer) -> dict[str, Any]:
        """Return one alert; the notice's subject with purpose and this alert as case."""
        reading = await optional_reading(request, caller)
        language: Literal["zh", "en"] = "en" if i18n.language() == "en" else "zh"
        async with parts.db.transaction() if reading else parts.db.read() as tx:
            view = await queries.read_alert(
                tx, alert_id, keyring=parts.keyring, packs=parts.packs, district=parts.district, language=language
            )
            opened = None
            if reading:
                with suppress(KeyErased):
                    opened = await open_alert_subject(tx, view.alert, reading, keyring=parts.keyring)
        return alert_view_body(view, opened)

    async def step(request: Request, caller: Caller, take: Callable[[Transaction], Awaitable[Alert]]) -> Response:
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                alert = await take(turn.tx)
                places = await queries.places_of(turn.tx, [alert])
                turn.keep(200, alert_body(alert, places.get(alert.premises_id)))
        return answer(turn)

    @router.post("/alerts/{alert_id}/acknowledgement")
    async def post_acknowledgement(
        request: Request, alert_id: UUID, caller: DutyOfficer, body: AcknowledgementBody | None = None
    ) -> Response:
        """Take an alert on, or over with a reason."""
        by, reason = officer(caller), body.reason if body else None
        return await step(
            request, caller, lambda tx: acknowledge_alert(tx, alert_id, reason, by=by, keyring=parts.keyring)
        )

    @router.post("/alerts/{alert_id}/verification")
    async def post_verification(
        request: Request, alert_id: UUID, body: VerificationBody, caller: DutyOfficer
    ) -> Response:
        """Say what the check found."""
        by = officer(caller)
        return await step(
            request,
            caller,
            lambda tx: verify_alert(tx, alert_id, body.result, body.reason, by=by, keyring=parts.keyring),
        )

    @router.post("/alerts/{alert_id}/closure")
    async def post_closure(request: Request, alert_id: UUID, body: ClosureBody, caller: DutyOfficer) -> Response:
        """End the work on an alert."""
        by = officer(caller)
        return await step(
            request,
            caller,
            lambda tx: close_alert(tx, alert_id, body.outcome, body.reason, by=by, keyring=parts.keyring),
        )

    @router.post("/alerts/{alert_id}/reopening")
    async def post_reopening(request: Request, alert_id: UUID, body: ReasonBody, caller: DutyOfficer) -> Response:
        """Begin again with a closed alert."""
        by = officer(caller)
        return await step(
            request, caller, lambda tx: reopen_alert(tx, alert_id, body.reason, by=by, keyring=parts.keyring)
        )

    @router.post("/alerts/{alert_id}/escalation")
    async def post_escalation(request: Request, alert_id: UUID, body: ReasonBody, caller: DutyOfficer) -> Response:
        """Raise the level by one."""
        by = officer(caller)
        return await step(
            request, caller, lambda tx: escalate_alert(tx, alert_id, body.reason, by=by, keyring=parts.keyring)
        )

    @router.post("/alerts/{alert_id}/notes")
    async def post_note(request: Request, alert_id: UUID, body: NoteBody, caller: DutyOfficer) -> Response:
        """Keep a note."""
        by = officer(caller)
        return await step(
            request, caller, lambda tx: note_on_alert(tx, alert_id, body.text, by=by, keyring=parts.keyring)
        )

    return router
