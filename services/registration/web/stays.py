"""One stay: who it is (masked, or shown for a purpose and case), its departure, its corrections."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from uuid_utils.compat import uuid7

from chassis.data.db import Database
from chassis.data.idempotency import once
from chassis.web.access import CASE, Caller
from chassis.web.app import page_router
from chassis.web.forms import Form, read_form
from chassis.web.i18n import N_, gettext
from chassis.web.moments import read_moment
from chassis.web.pages import Pages
from policy.packs import Packs
from policy.purposes import allowed
from services.registration.api.callers import Desk, actor_of, present
from services.registration.api.problems import PROBLEMS, field_errors
from services.registration.domain.access import Reason
from services.registration.domain.corrections import CorrectedField, Correction
from services.registration.domain.faults import Refused
from services.registration.domain.stays import AlreadyDeparted
from services.registration.use_cases import queries
from services.registration.use_cases.correct_stay import correct_stay
from services.registration.use_cases.read_stay import StayRead, read_stay
from services.registration.use_cases.record_departure import record_departure
from services.registration.vault import Vault
from services.registration.web.forms import WRONG_MOMENT, read_correction

PURPOSE_NEEDED = N_("Choose the purpose.")
CASE_NEEDED = N_("Give the case: letters, digits and hyphens, at most 64.")


def pages(db: Database, vault: Vault, packs: Packs) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/stays/{stay_id}")
    async def stay_page(
        request: Request, stay_id: UUID, caller: Desk, departed: bool = False, corrected: bool = False
    ) -> Response:
        """Show a stay masked, with the forms of its departure and of a correction."""
        return await _show(request, caller, stay_id, departed=departed, corrected=corrected)

    @router.get("/stays/{stay_id}/receipt")
    async def receipt(request: Request, stay_id: UUID, caller: Desk) -> Response:
        """Show the receipt as it is printed; it is masked, as whoever stands at the desk can read it."""
        async with db.read() as tx:
            stay, unit = await queries.receipt(tx, stay_id, actor=actor_of(caller), vault=vault)
        return _pages(request).render(request, "receipt.html", section="arrival", stay=stay, unit=unit)

    @router.post("/stays/{stay_id}/view")
    async def view(request: Request, stay_id: UUID, caller: Desk) -> Response:
        """Show a stay's person in full, for a purpose and a case, and log it."""
        form = await read_form(request)
        reason = read_reason(form, caller)
        if reason is None:
            return await _show(request, caller, stay_id, why=form, status=422)
        async with db.transaction() as tx:
            read = await read_stay(tx, stay_id, actor=actor_of(caller), reason=reason, vault=vault, now=present())
        return await _show(request, caller, stay_id, why=form, read=read)

    @router.post("/stays/{stay_id}/departure")
    async def departure(request: Request, stay_id: UUID, caller: Desk) -> Response:
        """Record a departure: now, or at the time that was typed."""
        form, now = await read_form(request), present()
        at = _departed_at(form, now)
        if at is not None:
            try:
                await _depart(request, caller, stay_id, form, at, now)
            except Refused as refused:
                form.add(field_errors(refused))
            except AlreadyDeparted as error:
                form.errors["departed_at"] = PROBLEMS[AlreadyDeparted](error).sentence()
            else:
                return RedirectResponse(f"/stays/{stay_id}?departed=1", 303)
        return await _show(request, caller, stay_id, leaving=form, status=422)

    @router.get("/stays/{stay_id}/correction")
    async def correction_value(request: Request, stay_id: UUID, caller: Desk, field: CorrectedField) -> Response:
        """Return the inputs for another field's value."""
        return _pages(request).render(request, "correction_value.html", form=Form({"field": field}))

    @router.post("/stays/{stay_id}/corrections")
    async def correction(request: Request, stay_id: UUID, caller: Desk) -> Response:
        """Correct one field."""
        form, now = await read_form(request), present()
        typed = read_correction(form, now)
        if typed is not None:
            try:
                await _correct(request, caller, stay_id, form, typed, now)
            except Refused as refused:
                form.add(field_errors(refused))
            else:
                return RedirectResponse(f"/stays/{stay_id}?corrected=1", 303)
        return await _show(request, caller, stay_id, correcting=form, status=422)

    async def _depart(request: Request, caller: Caller, stay_id: UUID, form: Form, at: datetime, now: datetime) -> None:
        async with _once(request, caller, form, now) as turn:
            if turn.answer is None:
                await record_departure(turn.tx, stay_id, at, actor=actor_of(caller), vault=vault, now=now)
                turn.keep(200, {"stay_id": str(stay_id)})

    async def _correct(
        request: Request, caller: Caller, stay_id: UUID, form: Form, typed: Correction, now: datetime
    ) -> None:
        async with _once(request, caller, form, now) as turn:
            if turn.answer is None:
                actor = actor_of(caller)
                await correct_stay(turn.tx, stay_id, typed, actor=actor, vault=vault, packs=packs, now=now)
                turn.keep(201, {"stay_id": str(stay_id)})

    def _once(request: Request, caller: Caller, form: Form, now: datetime) -> Any:
        return once(
            db,
            key=form["key"],
            caller=caller.subject,
            operation=f"POST {request.url.path}",
            body=orjson.dumps(form.values, option=orjson.OPT_SORT_KEYS),
            secret=request.app.state.idempotency_secret,
            now=now,
        )

    async def _show(
        request: Request,
        caller: Caller,
        stay_id: UUID,
        *,
        status: int = 200,
        why: Form | None = None,
        leaving: Form | None = None,
        correcting: Form | None = None,
        read: StayRead | None = None,
        departed: bool = False,
        corrected: bool = False,
    ) -> Response:
        async with db.read() as tx:
            stay = await queries.masked_stay(tx, stay_id, actor=actor_of(caller), vault=vault)
        answer = _pages(request).render(
            request,
            "stay.html",
            status,
            section="occupants",
            stay=stay,
            read=read,
            why=why or Form(),
            leaving=leaving or Form(),
            correcting=correcting or Form({"field": CorrectedField.DOCUMENT}),
            purposes=sorted(allowed(caller.role)),
            departed=departed,
            corrected=corrected,
            key=(leaving or correcting or Form())["key"] or str(uuid7()),
        )
        # A person in full stays in no cache and behind no back button.
        answer.headers["cache-control"] = "no-store"
        return answer

    return router


def read_reason(form: Form, caller: Caller) -> Reason | None:
    """Return purpose and case as typed, or None with what is wrong noted."""
    purpose, case = form["purpose"], form["case"].strip()
    if purpose not in allowed(caller.role):
        form.errors["purpose"] = gettext(PURPOSE_NEEDED)
    if not CASE.match(case):
        form.errors["case"] = gettext(CASE_NEEDED)
    return None if form.errors else Reason(purpose, case)


def _departed_at(form: Form, now: datetime) -> datetime | None:
    if not form["departed_at"].strip():
        return now
    try:
        return read_moment(form["departed_at"], now)
    except ValueError:
        form.errors["departed_at"] = gettext(WRONG_MOMENT)
        return None


def _pages(request: Request) -> Pages:
    shown: Pages = request.app.state.pages
    return shown
