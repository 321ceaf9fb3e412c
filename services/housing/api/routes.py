"""Housing's API for machines: register premises, read premises."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.web.access import Caller, require
from chassis.web.app import api_router
from chassis.web.idempotent import answer, once_for
from policy.packs import Packs
from services.housing.api.models import PremisesBody
from services.housing.api.visits import hazard_body
from services.housing.domain.inspections import Inspection
from services.housing.domain.letters import Letter
from services.housing.domain.units import INSPECTOR, OPERATOR
from services.housing.use_cases import queries
from services.housing.use_cases.queries import Details
from services.housing.use_cases.register_premises import register_premises

Inspector = Annotated[Caller, Depends(require(INSPECTOR))]
InspectorOrOperator = Annotated[Caller, Depends(require(INSPECTOR, OPERATOR))]


def routes(db: Database, keyring: Keyring, packs: Packs) -> APIRouter:
    """Return the router."""
    router = api_router()

    @router.post("/premises", status_code=201)
    async def post_premises(request: Request, body: PremisesBody, caller: Inspector) -> Response:
        """Register premises within the unit's area: 201 {premises_id, capacity}."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                who = await queries.actor(turn.tx, caller.subject, caller.role, caller.unit)
                premises = await register_premises(
                    turn.tx, body.entry(), who, packs=packs, keyring=keyring, now=datetime.now(UTC)
                )
                turn.keep(201, {"premises_id": str(premises.premises_id), "capacity": premises.capacity})
        return answer(turn)

    @router.get("/premises/{premises_id}")
    async def get_premises(premises_id: UUID, caller: InspectorOrOperator) -> dict[str, Any]:
        """Return premises with capacity, headcount, letter and open hazards; no name and no phone of a natural person.

        `grade` is null: no rule of grades is in force yet.
        """
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            return _body(await queries.premises_details(tx, who, premises_id, keyring))

    return router


def _body(details: Details) -> dict[str, Any]:
    premises = details.premises
    return {
        "premises_id": str(premises.premises_id),
        "kind": premises.kind,
        "status": premises.status,
        "name": premises.name,
        "address": premises.address,
        "division_code": premises.division_code,
        "latitude": premises.latitude,
        "longitude": premises.longitude,
        "one_household": premises.one_household,
        "operator_unit": premises.operator_unit,
        "operator": {"kind": premises.operator_kind, "name": details.firm},
        "rooms": [
            {"number": room.number, "type": room.type, "area_m2": room.area_m2, "capacity": room.capacity}
            for room in premises.rooms
        ],
        "capacity": premises.capacity,
        "headcount": details.headcount,
        "grade": None,
        "letter": _letter(premises.letter),
        "open_hazards": [hazard_body(hazard) for hazard in premises.open_hazards],
        "worst_open_hazard": premises.worst_open_hazard,
        "last_inspection": _inspection(details.visits[0]) if details.visits else None,
        "registered_at": premises.registered_at.isoformat(),
    }


def _letter(letter: Letter | None) -> dict[str, Any] | None:
    if letter is None:
        return None
    return {
        "letter_version": letter.version,
        "text_sha256": letter.text_sha256,
        "signed_at": letter.signed_at.isoformat(),
        "in_force": letter.in_force,
    }


def _inspection(visit: Inspection) -> dict[str, Any]:
    return {
        "inspection_id": str(visit.inspection_id),
        "outcome": visit.outcome,
        "checklist_version": visit.checklist_version,
        "inspected_at": visit.inspected_at.isoformat(),
        "failed": [finding.item for finding in visit.items if finding.result == "fail"],
    }
