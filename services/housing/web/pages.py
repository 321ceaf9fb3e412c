"""Housing's pages: the premises somebody is responsible for, one of them, and registering new ones."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from uuid_utils.compat import uuid7

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.data.idempotency import Turn, once
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.forms import Form, read_form
from chassis.web.pages import Pages
from policy.packs import Packs
from services.housing.api.models import PremisesBody
from services.housing.api.problems import OUTSIDE_AREA, field_errors
from services.housing.domain.faults import Refused
from services.housing.domain.units import INSPECTOR, OPERATOR, OutsideArea
from services.housing.use_cases import queries
from services.housing.use_cases.register_premises import register_premises
from services.housing.web.forms import note, read

Inspector = Annotated[Caller, Depends(require(INSPECTOR))]
InspectorOrOperator = Annotated[Caller, Depends(require(INSPECTOR, OPERATOR))]
# A screen and a half: the next ones are a click away, and a search is nearer.
LINES = 50
LONGEST_SEARCH = 100


def pages(db: Database, keyring: Keyring, packs: Packs) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/")
    async def premises_list(
        request: Request,
        caller: InspectorOrOperator,
        q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
        before: UUID | None = None,
    ) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            page = await queries.premises_list(tx, who, search=q, before=before, limit=LINES)
        return _render(request, "premises_list.html", section="premises", page=page, search=q, before=before)

    @router.get("/premises/new")
    async def new_premises(request: Request, caller: Inspector) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
        # The unit's own area is where it registers; what is left of the code is the community.
        start = {"kind": "rental", "operator.kind": "person", "division_code": who.areas[0] if who.areas else ""}
        return await _form(request, Form(start))

    @router.post("/premises/new")
    async def register(request: Request, caller: Inspector) -> Response:
        form = await read_form(request)
        if (typed := read(form)) is not None:
            body, rooms = typed
            try:
                premises_id = await _register(request, caller, form, body)
            except Refused as refused:
                note(form, field_errors(refused), rooms)
            except OutsideArea:
                note(form, [OUTSIDE_AREA], rooms)
            else:
                return RedirectResponse(f"/premises/{premises_id}?registered=1", 303)
        return await _form(request, form, status=422)

    @router.get("/premises/{premises_id}")
    async def premises(
        request: Request, premises_id: UUID, caller: InspectorOrOperator, registered: bool = False
    ) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            details = await queries.premises_details(tx, who, premises_id, keyring)
        return _render(request, "premises.html", section="premises", details=details, registered=registered)

    async def _form(request: Request, form: Form, status: int = 200) -> Response:
        async with db.read() as tx:
            units = await queries.operator_units(tx)
        # One key for one form: sent twice, it registers once.
        key = form["key"] or str(uuid7())
        return _render(request, "premises_form.html", status, section="new", form=form, units=units, key=key)

    async def _register(request: Request, caller: Caller, form: Form, body: PremisesBody) -> str:
        async with once(
            db,
            key=form["key"],
            caller=caller.subject,
            operation="POST /premises/new",
            body=body.model_dump_json().encode(),
            secret=request.app.state.idempotency_secret,
            now=datetime.now(UTC),
        ) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                made = await register_premises(
                    turn.tx, body.entry(), who, packs=packs, keyring=keyring, now=datetime.now(UTC)
                )
                turn.keep(201, {"premises_id": str(made.premises_id)})
        return _premises_id(turn)

    return router


def _premises_id(turn: Turn) -> str:
    assert turn.answer is not None
    return str(orjson.loads(turn.answer.body)["premises_id"])


def _render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    shown: Pages = request.app.state.pages
    return shown.render(request, template, status, **context)
