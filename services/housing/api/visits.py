"""Housing's API for machines: inspections, hazards, letters, closing and opening premises, completing a stub."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from chassis.data.encryption import Keyring
from chassis.web.access import Caller, require
from chassis.web.app import api_router
from chassis.web.idempotent import answer, once_for
from policy.packs import Packs
from services.housing.api.models import (
    ClearanceBody,
    ClosureBody,
    InspectionBody,
    LetterBody,
    PremisesBody,
    ReopeningBody,
)
from services.housing.domain.hazards import Hazard
from services.housing.domain.units import INSPECTOR, OPERATOR
from services.housing.use_cases import queries
from services.housing.use_cases.clear_hazard import clear_hazard
from services.housing.use_cases.close_premises import close_premises
from services.housing.use_cases.complete_premises import complete_premises
from services.housing.use_cases.record_inspection import record_inspection
from services.housing.use_cases.reopen_premises import reopen_premises
from services.housing.use_cases.sign_letter import sign_letter

Inspector = Annotated[Caller, Depends(require(INSPECTOR))]
InspectorOrOperator = Annotated[Caller, Depends(require(INSPECTOR, OPERATOR))]


def visit_routes(packs: Packs) -> APIRouter:
    """Return the router of what is found at premises."""
    router = api_router()

    @router.post("/premises/{premises_id}/inspections", status_code=201)
    async def post_inspection(request: Request, premises_id: UUID, body: InspectionBody, caller: Inspector) -> Response:
        """Record an inspection: 201 {inspection_id, hazards} with the open hazards of the items that failed."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                made = await record_inspection(turn.tx, premises_id, body.visit(), who, packs=packs)
                hazards = [hazard_body(hazard) for hazard in made.hazards]
                turn.keep(201, {"inspection_id": str(made.inspection.inspection_id), "hazards": hazards})
        return answer(turn)

    @router.post("/hazards/{hazard_id}/clearances", status_code=201)
    async def post_clearance(request: Request, hazard_id: UUID, body: ClearanceBody, caller: Inspector) -> Response:
        """Clear a hazard: 201 {hazard_id, cleared_at}; one that is cleared already is 409."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                hazard = await clear_hazard(turn.tx, hazard_id, body.note, who)
                assert hazard.cleared_at is not None
                turn.keep(201, {"hazard_id": str(hazard_id), "cleared_at": hazard.cleared_at.isoformat()})
        return answer(turn)

    return router


def state_routes(keyring: Keyring, packs: Packs) -> APIRouter:
    """Return the router of what changes premises themselves."""
    router = api_router()

    @router.post("/premises/{premises_id}/letters", status_code=201)
    async def post_letter(
        request: Request, premises_id: UUID, caller: InspectorOrOperator, body: LetterBody | None = None
    ) -> Response:
        """Sign the responsibility letter in force: 201 {premises_id, letter_version, text_sha256, signed_at}."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                version = body.letter_version if body else None
                letter = await sign_letter(turn.tx, premises_id, version, who, now=datetime.now(UTC))
                signed = {"letter_version": letter.version, "text_sha256": letter.text_sha256}
                at = letter.signed_at.isoformat()
                turn.keep(201, {"premises_id": str(premises_id), **signed, "signed_at": at})
        return answer(turn)

    @router.post("/premises/{premises_id}/closures", status_code=201)
    async def post_closure(request: Request, premises_id: UUID, body: ClosureBody, caller: Inspector) -> Response:
        """Close premises: 201 {closure_id, premises_id, status, headcount, closed_at}.

        Another headcount than the present one is 409 `headcount-differs`, which tells the present one.
        """
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                closure = await close_premises(
                    turn.tx, premises_id, body.reason, body.confirm_headcount, who, now=datetime.now(UTC)
                )
                told = {"closure_id": str(closure.closure_id), "premises_id": str(premises_id), "status": "closed"}
                at = closure.closed_at.isoformat()
                turn.keep(201, {**told, "headcount": closure.headcount, "closed_at": at})
        return answer(turn)

    @router.post("/premises/{premises_id}/reopenings", status_code=201)
    async def post_reopening(request: Request, premises_id: UUID, body: ReopeningBody, caller: Inspector) -> Response:
        """Open closed premises again: 201 {premises_id, status}."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                opened = await reopen_premises(turn.tx, premises_id, body.reason, who, now=datetime.now(UTC))
                turn.keep(201, {"premises_id": str(premises_id), "status": opened.status})
        return answer(turn)

    @router.post("/premises/{premises_id}/completion", status_code=201)
    async def post_completion(request: Request, premises_id: UUID, body: PremisesBody, caller: Inspector) -> Response:
        """Complete a stub with the body that registers premises: 201 {premises_id, capacity}."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                whole = await complete_premises(
                    turn.tx, premises_id, body.entry(), who, packs=packs, keyring=keyring, now=datetime.now(UTC)
                )
                turn.keep(201, {"premises_id": str(premises_id), "capacity": whole.capacity})
        return answer(turn)

    return router


def hazard_body(hazard: Hazard) -> dict[str, str]:
    """Return a hazard as JSON."""
    return {
        "hazard_id": str(hazard.hazard_id),
        "item": hazard.item,
        "severity": hazard.severity,
        "found_at": hazard.found_at.isoformat(),
    }
