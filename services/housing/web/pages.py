"""Housing's pages: the premises somebody is responsible for, one of them, and registering new ones."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from uuid_utils.compat import uuid7

from chassis.data.db import Database, Transaction
from chassis.data.encryption import Keyring
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.forms import Form, read_form
from chassis.web.pages import Pages
from policy.packs import Packs
from services.housing.api.models import PremisesBody
from services.housing.api.problems import OUTSIDE_AREA, field_errors
from services.housing.domain.faults import Refused
from services.housing.domain.premises import NotAStub
from services.housing.domain.units import INSPECTOR, OPERATOR, Actor, OutsideArea
from services.housing.use_cases import queries
from services.housing.use_cases.complete_premises import complete_premises
from services.housing.use_cases.register_premises import register_premises
from services.housing.web.areas import area_names
from services.housing.web.forms import note, read
from services.housing.web.items import happened, item_words
from services.housing.web.sending import Act, send

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
        return _render(
            request,
            "premises_list.html",
            section="premises",
            page=page,
            area_of=area_names(packs),
            search=q,
            before=before,
        )

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
                made = await send(request, caller, form["key"], body, _registering(body, packs, keyring))
            except Refused as refused:
                note(form, field_errors(refused), rooms)
            except OutsideArea:
                note(form, [OUTSIDE_AREA], rooms)
            else:
                return RedirectResponse(f"/premises/{made['premises_id']}?registered=1", 303)
        return await _form(request, form, status=422)

    @router.get("/premises/{premises_id}/completion")
    async def stub(request: Request, premises_id: UUID, caller: Inspector) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            known = (await queries.premises_details(tx, who, premises_id, keyring)).premises
        if known.status != "stub":
            raise NotAStub
        entered = {"kind": known.kind, "address": known.address, "division_code": known.division_code}
        return await _form(request, Form({**entered, "operator.kind": "person"}), premises_id)

    @router.post("/premises/{premises_id}/completion")
    async def complete(request: Request, premises_id: UUID, caller: Inspector) -> Response:
        form = await read_form(request)
        if (typed := read(form)) is not None:
            body, rooms = typed
            try:
                await send(request, caller, form["key"], body, _completing(premises_id, body, packs, keyring))
            except Refused as refused:
                note(form, field_errors(refused), rooms)
            else:
                return RedirectResponse(f"/premises/{premises_id}?registered=1", 303)
        return await _form(request, form, premises_id, status=422)

    @router.get("/premises/{premises_id}")
    async def premises(
        request: Request, premises_id: UUID, caller: InspectorOrOperator, registered: bool = False
    ) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            details = await queries.premises_details(tx, who, premises_id, keyring)
        words_of = item_words(packs, details)
        return _render(
            request,
            "premises.html",
            section="premises",
            details=details,
            registered=registered,
            area_of=area_names(packs),
            words_of=words_of,
            happened=happened(details, words_of),
        )

    async def _form(request: Request, form: Form, stub_id: UUID | None = None, status: int = 200) -> Response:
        async with db.read() as tx:
            units = await queries.operator_units(tx)
        # One key for one form: sent twice, it registers once.
        key = form["key"] or str(uuid7())
        shown = {"section": "premises" if stub_id else "new", "form": form, "units": units, "key": key}
        return _render(request, "premises_form.html", status, **shown, stub_id=stub_id)

    return router


def _registering(body: PremisesBody, packs: Packs, keyring: Keyring) -> Act:
    async def act(tx: Transaction, who: Actor, now: datetime) -> dict[str, Any]:
        made = await register_premises(tx, body.entry(), who, packs=packs, keyring=keyring, now=now)
        return {"premises_id": str(made.premises_id)}

    return act


def _completing(premises_id: UUID, body: PremisesBody, packs: Packs, keyring: Keyring) -> Act:
    async def act(tx: Transaction, who: Actor, now: datetime) -> dict[str, Any]:
        await complete_premises(tx, premises_id, body.entry(), who, packs=packs, keyring=keyring, now=now)
        return {"premises_id": str(premises_id)}

    return act


def _render(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    shown: Pages = request.app.state.pages
    return shown.render(request, template, status, **context)
