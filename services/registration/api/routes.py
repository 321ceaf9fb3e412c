"""Registration's API for machines: arrivals, departures, corrections, look-ups, premises, matching tokens."""

import re
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from chassis.data.db import Database
from chassis.web.app import api_router
from chassis.web.i18n import N_
from chassis.web.idempotent import answer, once_for
from chassis.web.problems import Problem
from policy.packs import Packs
from services.registration.api import views
from services.registration.api.callers import (
    AnotherService,
    AreaDesk,
    Desk,
    DeskOrOfficer,
    Why,
    actor_of,
    present,
    reason_of,
)
from services.registration.api.models import (
    ArrivalBody,
    CorrectionBody,
    DepartureBody,
    LookupBody,
    MatchingTokenBody,
    StubBody,
)
from services.registration.domain.stays import CITY
from services.registration.use_cases import queries
from services.registration.use_cases.correct_stay import correct_stay
from services.registration.use_cases.issue_matching_token import issue_matching_token
from services.registration.use_cases.read_stay import read_stay
from services.registration.use_cases.record_departure import record_departure
from services.registration.use_cases.register_arrival import register_arrival
from services.registration.use_cases.stub_premises import stub_premises
from services.registration.vault import Vault

Limit = Annotated[int, Query(ge=1, le=100)]

# The only service that may ask for matching tokens (product.md section 8).
NOTICE_DESK = "alerts"
AUTHOR = re.compile(r"[\x21-\x7e]{1,200}\Z")


def routes(db: Database, vault: Vault, packs: Packs, district: str) -> list[APIRouter]:
    """Return the routers."""
    return [_stays(db, vault, packs), _lists(db, vault), _tokens(vault, packs, district)]


def _stays(db: Database, vault: Vault, packs: Packs) -> APIRouter:
    router = api_router()

    @router.post("/arrivals", status_code=201)
    async def post_arrival(request: Request, body: ArrivalBody, caller: Desk) -> Response:
        """Register an arrival: 201 {stay_id, receipt_number, days_late, document_to_verify}."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                stay = await register_arrival(
                    turn.tx, body.entry(), actor=actor_of(caller), vault=vault, packs=packs, now=present()
                )
                turn.keep(201, views.arrival(stay))
        return answer(turn)

    @router.post("/stays/{stay_id}/departure")
    async def post_departure(request: Request, stay_id: UUID, body: DepartureBody, caller: Desk) -> Response:
        """Record a departure: 200 {stay_id, departed_at}."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                stay = await record_departure(
                    turn.tx, stay_id, body.departed_at, actor=actor_of(caller), vault=vault, now=present()
                )
                turn.keep(200, {"stay_id": str(stay.stay_id), "departed_at": body.departed_at.isoformat()})
        return answer(turn)

    @router.post("/stays/{stay_id}/corrections", status_code=201)
    async def post_correction(request: Request, stay_id: UUID, body: CorrectionBody, caller: Desk) -> Response:
        """Correct one field: 201; what was before, what is after and who did it are kept."""
        correction = body.correction()
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                correction_id, stay = await correct_stay(
                    turn.tx, stay_id, correction, actor=actor_of(caller), vault=vault, packs=packs, now=present()
                )
                to_verify = stay.person.document.to_verify
                kept = {"correction_id": str(correction_id), "stay_id": str(stay_id), "field": body.field}
                turn.keep(201, {**kept, "document_to_verify": to_verify})
        return answer(turn)

    @router.get("/stays/{stay_id}")
    async def get_stay(stay_id: UUID, caller: DeskOrOfficer, why: Why) -> dict[str, Any]:
        """Return one stay with its person unmasked; for `notice_verification` the case is an alert of this stay."""
        async with db.transaction() as tx:
            read = await read_stay(
                tx, stay_id, actor=actor_of(caller), reason=reason_of(why), vault=vault, now=present()
            )
        return views.stay_read(read)

    return router


def _lists(db: Database, vault: Vault) -> APIRouter:
    router = api_router()

    @router.post("/stays/lookup")
    async def post_lookup(request: Request, body: LookupBody, caller: Desk, why: Why) -> Response:
        """Return the open stays of a document's holder, or of a room, within the reader's area; logged each time."""
        actor, now = actor_of(caller), present()
        async with once_for(request, caller) as turn:
            tx = turn.tx
            if turn.answer is not None:
                # A repeat shows the same stays. Only their ids were kept: nobody's name waits in the answers' table.
                stay_ids = [UUID(each) for each in orjson.loads(turn.answer.body)["stay_ids"]]
            elif body.document is not None:
                stay_ids = await queries.find_by_document(tx, body.document.entry(), actor=actor, vault=vault, now=now)
            else:
                assert body.premises_id is not None
                assert body.room is not None
                stay_ids = await queries.find_by_room(tx, body.premises_id, body.room, actor=actor)
            if turn.answer is None:
                turn.keep(200, {"stay_ids": [str(each) for each in stay_ids]})
            found = await queries.show_found(tx, stay_ids, actor=actor, reason=reason_of(why), vault=vault, now=now)
        return _json({"items": [views.found(each) for each in found], "next": None})

    @router.post("/premises-stubs", status_code=201)
    async def post_premises_stub(request: Request, body: StubBody, caller: AreaDesk) -> Response:
        """Enter premises to be inspected: 201 {premises_id}. Arrivals there are accepted at once, in any room."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                entered = await stub_premises(turn.tx, body.entry(), actor=actor_of(caller))
                turn.keep(201, {"premises_id": str(entered.premises_id)})
        return answer(turn)

    @router.get("/premises")
    async def get_premises_list(
        caller: Desk,
        address: Annotated[str, Query(max_length=200)] = "",
        limit: Limit = 20,
        cursor: UUID | None = None,
    ) -> dict[str, Any]:
        """Return premises within the reader's area whose address contains a text."""
        async with db.read() as tx:
            found = await queries.search_premises(tx, address, actor=actor_of(caller), after=cursor, limit=limit)
        last = str(found[-1].premises.premises_id) if len(found) == limit else None
        return {"items": [views.premises(each) for each in found], "next": last}

    @router.get("/premises/{premises_id}")
    async def get_premises(premises_id: UUID, caller: Desk) -> dict[str, Any]:
        """Return premises with the free places of each room."""
        async with db.read() as tx:
            return views.premises(await queries.show_premises(tx, premises_id, actor=actor_of(caller)))

    @router.get("/premises/{premises_id}/occupants")
    async def get_occupants(
        premises_id: UUID, caller: Desk, why: Why, limit: Limit = 100, cursor: UUID | None = None
    ) -> dict[str, Any]:
        """Return who is registered at premises now; logged."""
        async with db.transaction() as tx:
            found = await queries.list_occupants(
                tx,
                premises_id,
                actor=actor_of(caller),
                reason=reason_of(why),
                vault=vault,
                now=present(),
                after=cursor,
                limit=limit,
            )
        last = str(found[-1].stay.stay_id) if len(found) == limit else None
        return {"items": [views.found(each) for each in found], "next": last}

    return router


def _tokens(vault: Vault, packs: Packs, district: str) -> APIRouter:
    router = api_router()

    @router.post("/matching-tokens")
    async def post_matching_token(request: Request, body: MatchingTokenBody, caller: AnotherService) -> Response:
        """Return a document's matching token to alerts, which names the notice's author; limited and audited."""
        if caller.subject != NOTICE_DESK:
            raise Problem(403, "forbidden")
        authors = request.headers.getlist("anju-on-behalf-of")
        if len(authors) != 1 or not AUTHOR.match(authors[0]):
            title = N_("The header Anju-On-Behalf-Of must name the notice's author.")
            raise Problem(400, "on-behalf-of-required", title=title)
        now = present()
        per_hour = packs.on(now.astimezone(CITY).date(), district).notices.token_requests_per_hour
        async with once_for(request, caller) as turn:
            tokens = await issue_matching_token(
                turn.tx,
                body.document.entry(),
                author=authors[0],
                service=NOTICE_DESK,
                vault=vault,
                per_hour=per_hour,
                repeated=turn.answer is not None,
                now=now,
            )
            if turn.answer is None:
                # The token itself is not kept: the same document gives it again.
                turn.keep(200, {})
        return _json(views.matching_tokens(tokens))

    return router


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), 200, media_type="application/json")
