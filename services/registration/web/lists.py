"""Who is registered at premises now, masked; and where somebody lives now, for a purpose and a case."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from chassis.data.db import Database
from chassis.web.app import page_router
from chassis.web.forms import Form, read_form
from chassis.web.pages import Pages
from policy.purposes import allowed
from services.registration.api.callers import Desk, actor_of, present
from services.registration.api.problems import field_errors
from services.registration.domain.documents import DocumentKind
from services.registration.domain.faults import Refused
from services.registration.domain.masked import MaskedStay
from services.registration.domain.stays import StayAt
from services.registration.use_cases import queries
from services.registration.use_cases.queries import PremisesView
from services.registration.vault import Vault
from services.registration.web.forms import read_document
from services.registration.web.stays import read_reason

LINES = 50
PLACES = 20
LONGEST_SEARCH = 100
LONGEST_ROOM = 40


def pages(db: Database, vault: Vault) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/occupants")
    async def occupants(
        request: Request,
        caller: Desk,
        premises: UUID | None = None,
        address: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
        room: Annotated[str, Query(max_length=LONGEST_ROOM)] = "",
        after: UUID | None = None,
    ) -> Response:
        """Show who is registered at one place; without one, the places to choose from."""
        actor = actor_of(caller)
        found: list[PremisesView] = []
        people: list[MaskedStay] = []
        count = 0
        place: PremisesView | None = None
        async with db.read() as tx:
            if premises is None:
                found = await queries.search_premises(tx, address.strip(), actor=actor, after=None, limit=PLACES)
                premises = found[0].premises.premises_id if len(found) == 1 else None
            if premises is not None:
                place = await queries.show_premises(tx, premises, actor=actor)
                count, people = await queries.masked_occupants(
                    tx, premises, actor=actor, vault=vault, room=room, after=after, limit=LINES
                )
        more = people[-1].stay_id if len(people) == LINES else None
        return _pages(request).render(
            request,
            "occupants.html",
            section="occupants",
            place=place,
            people=people,
            count=count,
            room=room.strip(),
            after=after,
            found=found,
            address=address,
            more=more,
        )

    @router.get("/look-up")
    async def look_up_form(request: Request, caller: Desk) -> Response:
        """Show the form of a look-up."""
        form = Form({"person.document.kind": DocumentKind.RESIDENT_ID})
        return _look_up(request, caller.role, form, None)

    @router.post("/look-up")
    async def look_up(request: Request, caller: Desk) -> Response:
        """Show the open stays of whoever has a document, within the unit's area; each look-up is logged."""
        form, actor, now = await read_form(request), actor_of(caller), present()
        document, reason = read_document(form), read_reason(form, caller)
        if document is None or reason is None:
            return _look_up(request, caller.role, form, None, status=422)
        try:
            async with db.transaction() as tx:
                ids = await queries.find_by_document(tx, document.entry(), actor=actor, vault=vault, now=now)
                found = await queries.show_found(tx, ids, actor=actor, reason=reason, vault=vault, now=now)
        except Refused as refused:
            form.errors |= {f"person.{error.name}": error.sentence() for error in field_errors(refused)}
            return _look_up(request, caller.role, form, None, status=422)
        return _look_up(request, caller.role, form, found)

    def _look_up(request: Request, role: str, form: Form, found: list[StayAt] | None, status: int = 200) -> Response:
        answer = _pages(request).render(
            request,
            "look_up.html",
            status,
            section="look-up",
            form=form,
            found=found,
            purposes=sorted(allowed(role)),
        )
        answer.headers["cache-control"] = "no-store"
        return answer

    return router


def _pages(request: Request) -> Pages:
    shown: Pages = request.app.state.pages
    return shown
