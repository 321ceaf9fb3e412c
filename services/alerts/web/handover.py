"""The handover page: what I answer for, with a word for whoever comes next; what others offer, to be taken at once."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.idempotency import once
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.forms import Form, read_form
from services.alerts.api.models import NoteBody
from services.alerts.api.parts import Parts, officer
from services.alerts.api.problems import PROBLEMS
from services.alerts.domain.handovers import HandoverRefused
from services.alerts.use_cases.offer_handover import offer_handover
from services.alerts.use_cases.read_handovers import read_handovers
from services.alerts.use_cases.take_handover import take_handover
from services.alerts.use_cases.withdraw_handover import withdraw_handover
from services.alerts.web.pace import KeptPace, span
from services.alerts.web.rule_words import rule_words

DutyOfficer = Annotated[Caller, Depends(require("duty_officer"))]


def pages(parts: Parts) -> APIRouter:
    """Return the router."""
    router = page_router()
    handovers = _Handovers(parts)

    @router.get("/handover")
    async def show(request: Request, caller: DutyOfficer) -> Response:
        """Show the page."""
        return await handovers.show(request, caller)

    @router.post("/handover")
    async def offer(request: Request, caller: DutyOfficer) -> Response:
        """Offer what the caller answers for."""
        return await handovers.offer(request, caller)

    @router.post("/handover/{handover_id}/taking")
    async def take(request: Request, handover_id: UUID, caller: DutyOfficer) -> Response:
        """Take over what another offers."""
        return await handovers.end(request, caller, handover_id, taking=True)

    @router.post("/handover/{handover_id}/withdrawal")
    async def withdraw(request: Request, handover_id: UUID, caller: DutyOfficer) -> Response:
        """Take an offer back."""
        return await handovers.end(request, caller, handover_id, taking=False)

    return router


class _Handovers:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pace = KeptPace()

    async def show(
        self, request: Request, caller: Caller, *, status: int = 200, form: Form | None = None, refused: str = ""
    ) -> Response:
        async with self._parts.db.read() as tx:
            page = await read_handovers(tx, caller.subject, self._parts.keyring)
            pace = await self._pace.read(tx)
        response: Response = request.app.state.pages.render(
            request,
            "handover.html",
            status,
            section="handover",
            me=caller,
            page=page,
            pace=pace,
            span=span,
            handovers_offered=len(page.offered),
            form=form or Form(),
            refused=refused,
            rule_words=rule_words(self._parts),
            key=str(uuid7()),
        )
        return response

    async def offer(self, request: Request, caller: Caller) -> Response:
        form = await read_form(request)
        key, form.values = form["key"], {name: text for name, text in form.values.items() if name != "key"}
        body = form.validate(NoteBody)
        if body is None:
            return await self.show(request, caller, status=422, form=form)
        try:
            async with once(
                self._parts.db,
                # One key for one form: pressed twice, it is one offer.
                key=key,
                caller=caller.subject,
                operation="POST /handover",
                body=orjson.dumps(form.values, option=orjson.OPT_SORT_KEYS),
                secret=request.app.state.idempotency_secret,
                now=datetime.now(UTC),
            ) as turn:
                if turn.answer is None:
                    await offer_handover(turn.tx, body.text, by=officer(caller), keyring=self._parts.keyring)
                    turn.keep(200, {})
        except HandoverRefused as error:
            return await self._refuse(request, caller, error, form)
        return RedirectResponse("/handover", 303)

    async def end(self, request: Request, caller: Caller, handover_id: UUID, *, taking: bool) -> Response:
        try:
            async with self._parts.db.transaction() as tx:
                await self._end(tx, caller, handover_id, taking)
        except HandoverRefused as error:
            return await self._refuse(request, caller, error)
        # Who has taken over goes on with the work itself.
        return RedirectResponse("/?mine=1" if taking else "/handover", 303)

    async def _end(self, tx: Transaction, caller: Caller, handover_id: UUID, taking: bool) -> None:
        if taking:
            await take_handover(tx, handover_id, by=officer(caller), keyring=self._parts.keyring)
        else:
            await withdraw_handover(tx, handover_id, by=officer(caller))

    async def _refuse(
        self, request: Request, caller: Caller, error: HandoverRefused, form: Form | None = None
    ) -> Response:
        problem = PROBLEMS[HandoverRefused](error)
        return await self.show(request, caller, status=problem.status, form=form, refused=problem.sentence())
