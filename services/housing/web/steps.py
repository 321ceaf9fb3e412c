"""Pages of one decision each: close premises, open them again, clear a hazard, sign the letter."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from chassis.data.db import Database, Transaction
from chassis.data.encryption import Keyring
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.faults import FieldError, field_errors
from chassis.web.forms import Form, read_form
from chassis.web.i18n import N_
from chassis.web.models import StrictModel
from policy.packs import Packs
from services.housing.api.models import ClearanceBody, ClosureBody, LetterBody, ReopeningBody
from services.housing.domain import letters
from services.housing.domain.closures import HeadcountDiffers
from services.housing.domain.hazards import UnknownHazard
from services.housing.domain.texts import half_width
from services.housing.domain.units import INSPECTOR, OPERATOR, Actor
from services.housing.use_cases import queries
from services.housing.use_cases.clear_hazard import clear_hazard
from services.housing.use_cases.close_premises import close_premises
from services.housing.use_cases.reopen_premises import reopen_premises
from services.housing.use_cases.sign_letter import sign_letter
from services.housing.web.items import item_words
from services.housing.web.sending import send

M = TypeVar("M", bound=StrictModel)
Inspector = Annotated[Caller, Depends(require(INSPECTOR))]
InspectorOrOperator = Annotated[Caller, Depends(require(INSPECTOR, OPERATOR))]


NOT_A_NUMBER = FieldError("/confirm_headcount", "not-a-number", N_("Enter a whole number."))


def typed(form: Form, model: type[M], **values: Any) -> M | None:
    """Return what the form says as `model`, or None with the faults noted; what was left empty is missing."""
    try:
        return model.model_validate({name: value for name, value in values.items() if value != ""})
    except ValidationError as error:
        form.add(field_errors([{**each, "loc": ("form", *each["loc"])} for each in error.errors()]))
        return None


def closure_typed(form: Form) -> ClosureBody | None:
    """Return the closure that the form asks for, or None with the faults noted."""
    digits = half_width(form["confirm_headcount"]).strip()
    number: int | str = int(digits) if digits.isascii() and digits.isdigit() else ""
    if digits and number == "":
        form.add([NOT_A_NUMBER])
    return typed(form, ClosureBody, reason=form["reason"].strip(), confirm_headcount=number)


def step_pages(db: Database, keyring: Keyring, packs: Packs) -> APIRouter:
    """Return the router."""
    router = page_router()

    async def show(
        request: Request, caller: Caller, premises_id: UUID, step: str, form: Form, hazard_id: UUID | None = None
    ) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            details = await queries.premises_details(tx, who, premises_id, keyring)
        hazard = next((each for each in details.premises.open_hazards if each.hazard_id == hazard_id), None)
        if hazard_id is not None and hazard is None:
            raise UnknownHazard
        context: Mapping[str, Any] = {
            "section": "premises",
            "step": step,
            "form": form,
            "key": form["key"] or str(uuid7()),
            "details": details,
            "hazard": hazard,
            "words_of": item_words(packs, details),
            "letter": letters,
        }
        pages = request.app.state.pages
        shown: Response = pages.render(request, "step.html", 422 if form.errors else 200, **context)
        return shown

    @router.get("/premises/{premises_id}/closing")
    async def closing(request: Request, premises_id: UUID, caller: Inspector) -> Response:
        return await show(request, caller, premises_id, "closing", Form())

    @router.post("/premises/{premises_id}/closing")
    async def close(request: Request, premises_id: UUID, caller: Inspector) -> Response:
        form = await read_form(request)
        if (body := closure_typed(form)) is not None:

            async def act(tx: Transaction, who: Actor, now: datetime) -> dict[str, Any]:
                closure = await close_premises(tx, premises_id, body.reason, body.confirm_headcount, who, now=now)
                return {"closure_id": str(closure.closure_id)}

            try:
                await send(request, caller, form["key"], body, act)
            except HeadcountDiffers as differs:
                told = {"headcount": differs.headcount}
                sentence = N_("Living there now: {headcount}.")
                form.add([FieldError("/confirm_headcount", "headcount-differs", sentence, told)])
            else:
                return _back(premises_id)
        return await show(request, caller, premises_id, "closing", form)

    @router.get("/premises/{premises_id}/reopening")
    async def reopening(request: Request, premises_id: UUID, caller: Inspector) -> Response:
        return await show(request, caller, premises_id, "reopening", Form())

    @router.post("/premises/{premises_id}/reopening")
    async def reopen(request: Request, premises_id: UUID, caller: Inspector) -> Response:
        form = await read_form(request)
        if (body := typed(form, ReopeningBody, reason=form["reason"].strip())) is None:
            return await show(request, caller, premises_id, "reopening", form)

        async def act(tx: Transaction, who: Actor, now: datetime) -> dict[str, Any]:
            return {"status": (await reopen_premises(tx, premises_id, body.reason, who, now=now)).status}

        await send(request, caller, form["key"], body, act)
        return _back(premises_id)

    @router.get("/premises/{premises_id}/hazards/{hazard_id}/clearing")
    async def clearing(request: Request, premises_id: UUID, hazard_id: UUID, caller: Inspector) -> Response:
        return await show(request, caller, premises_id, "clearing", Form(), hazard_id)

    @router.post("/premises/{premises_id}/hazards/{hazard_id}/clearing")
    async def clear(request: Request, premises_id: UUID, hazard_id: UUID, caller: Inspector) -> Response:
        form = await read_form(request)
        if (body := typed(form, ClearanceBody, note=form["note"].strip())) is None:
            return await show(request, caller, premises_id, "clearing", form, hazard_id)

        async def act(tx: Transaction, who: Actor, _now: datetime) -> dict[str, Any]:
            cleared = await clear_hazard(tx, hazard_id, body.note, who)
            return {"hazard_id": str(cleared.hazard_id)}

        await send(request, caller, form["key"], body, act)
        return _back(premises_id)

    @router.get("/premises/{premises_id}/letter")
    async def read_letter(request: Request, premises_id: UUID, caller: InspectorOrOperator) -> Response:
        return await show(request, caller, premises_id, "letter", Form())

    @router.post("/premises/{premises_id}/letter")
    async def sign(request: Request, premises_id: UUID, caller: InspectorOrOperator) -> Response:
        form = await read_form(request)
        if (body := typed(form, LetterBody, letter_version=form["letter_version"])) is None:
            return await show(request, caller, premises_id, "letter", form)

        async def act(tx: Transaction, who: Actor, now: datetime) -> dict[str, Any]:
            return {"letter_version": (await sign_letter(tx, premises_id, body.letter_version, who, now=now)).version}

        await send(request, caller, form["key"], body, act)
        return _back(premises_id)

    return router


def _back(premises_id: UUID) -> Response:
    return RedirectResponse(f"/premises/{premises_id}", 303)
