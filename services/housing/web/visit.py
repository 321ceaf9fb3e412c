"""The inspection form for the phone, and the map of premises."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from chassis.data.db import Database
from chassis.data.encryption import Keyring
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from policy.packs import Packs
from services.housing.domain.premises import entrusted
from services.housing.domain.units import INSPECTOR, OPERATOR
from services.housing.use_cases import queries
from services.housing.web.items import checklist_now
from services.housing.web.maps import draw

Inspector = Annotated[Caller, Depends(require(INSPECTOR))]
InspectorOrOperator = Annotated[Caller, Depends(require(INSPECTOR, OPERATOR))]
# More marks than this lie on top of each other, and the list beside the map is no longer read.
MOST_MARKS = 1_000


def visit_pages(db: Database, keyring: Keyring, packs: Packs) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/premises/{premises_id}/inspect")
    async def inspect(request: Request, premises_id: UUID, caller: Inspector) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            premises = entrusted(who, (await queries.premises_details(tx, who, premises_id, keyring)).premises)
        checklist = checklist_now(packs, premises.division_code)
        shown: Response = request.app.state.pages.render(
            request,
            "inspection.html",
            section="premises",
            premises=premises,
            version=checklist.version,
            items=checklist.items(premises.kind),
            open_by_item={hazard.item: hazard for hazard in premises.open_hazards},
        )
        return shown

    @router.get("/map")
    async def premises_map(request: Request, caller: InspectorOrOperator, at: UUID | None = None) -> Response:
        async with db.read() as tx:
            who = await queries.actor(tx, caller.subject, caller.role, caller.unit)
            page = await queries.premises_map(tx, who, at=at, limit=MOST_MARKS)
        worst_first = sorted(
            page.lines, key=lambda line: -("minor", "serious", "imminent").index(line.worst) - 1 if line.worst else 0
        )
        shown: Response = request.app.state.pages.render(
            request, "map.html", section="map", drawing=draw(page.lines, at), lines=worst_first, at=at, total=page.total
        )
        return shown

    return router
