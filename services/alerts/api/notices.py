"""The API of notices for machines: propose, approve, withdraw, renew, suspend, lift, read."""

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator

from chassis.data.encryption import KeyErased
from chassis.web import i18n
from chassis.web.access import Caller, require
from chassis.web.app import api_router
from chassis.web.idempotent import answer, answered_before, once_for
from services.alerts.api.bodies import notice_body, notice_view_body, read_cursor, write_cursor
from services.alerts.api.models import (
    ApprovalBody,
    NoticeBody,
    ReasonBody,
    RenewalBody,
    WithdrawalBody,
)
from services.alerts.api.parts import Parts, officer, optional_reading
from services.alerts.domain.contents import MATCHED_BY_DOCUMENT, Fault, ProposalRefused
from services.alerts.domain.notices import NoticeState, OwnNotice, SameUnit
from services.alerts.use_cases import queries
from services.alerts.use_cases.approve_notice import approve_notice
from services.alerts.use_cases.check_proposal import check_proposal
from services.alerts.use_cases.lift_suspension import lift_suspension
from services.alerts.use_cases.note_refused_approval import note_refused_approval
from services.alerts.use_cases.open_subject import may_see, open_subject
from services.alerts.use_cases.propose_notice import Proposal, propose_notice
from services.alerts.use_cases.queries import NoticeFilter
from services.alerts.use_cases.renew_notice import renew_notice
from services.alerts.use_cases.suspend_notice import suspend_notice
from services.alerts.use_cases.withdraw_notice import withdraw_notice

Author = Annotated[Caller, Depends(require("notice_author"))]
Approver = Annotated[Caller, Depends(require("notice_approver"))]
Overseer = Annotated[Caller, Depends(require("overseer"))]
Reader = Annotated[Caller, Depends(require("notice_author", "notice_approver", "overseer"))]
Limit = Annotated[int, Query(ge=1, le=100)]
# `?state=` is what a form with nothing chosen sends: the same as no state.
State = Annotated[NoticeState | None, BeforeValidator(lambda given: given or None), Query()]


def routes(parts: Parts) -> APIRouter:
    """Return the router."""
    router = api_router()

    @router.post("/notices", status_code=201)
    async def post_notice(request: Request, body: NoticeBody, caller: Author) -> Response:
        """Propose a notice: 201 {notice_id, state: proposed, content_hash}."""
        # A repeat asks for no second token, and is answered also while registration is away.
        if (again := await answered_before(request, caller)) is not None:
            return again
        proposal = await checked_proposal(body, parts)
        author = officer(caller)
        # Asked for before the transaction: nobody waits for a lock while registration answers.
        token = await parts.registration.matching_token(proposal.subject.document, author, i18n.language())
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                notice = await propose_notice(
                    turn.tx,
                    proposal,
                    token,
                    author=author,
                    keyring=parts.keyring,
                    packs=parts.packs,
                    district=parts.district,
                )
                turn.keep(201, notice_body(notice))
        return answer(turn)

    @router.post("/notices/{notice_id}/approval")
    async def post_approval(request: Request, notice_id: UUID, body: ApprovalBody, caller: Approver) -> Response:
        """Approve exactly the content with this hash."""
        try:
            async with once_for(request, caller) as turn:
                if turn.answer is None:
                    notice = await approve_notice(
                        turn.tx,
                        notice_id,
                        body.content_hash,
                        approver=officer(caller),
                        signer=parts.signer,
                        keyring=parts.keyring,
                    )
                    turn.keep(200, notice_body(notice))
        except (OwnNotice, SameUnit):
            async with parts.db.transaction() as tx:
                await note_refused_approval(tx, notice_id, by=officer(caller))
            raise
        return answer(turn)

    @router.post("/notices/{notice_id}/withdrawal")
    async def post_withdrawal(request: Request, notice_id: UUID, body: WithdrawalBody, caller: Author) -> Response:
        """End a notice of the own unit."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                notice = await withdraw_notice(
                    turn.tx, notice_id, body.ending(), body.reason, by=officer(caller), keyring=parts.keyring
                )
                turn.keep(200, notice_body(notice))
        return answer(turn)

    @router.post("/notices/{notice_id}/renewal")
    async def post_renewal(request: Request, notice_id: UUID, body: RenewalBody, caller: Author) -> Response:
        """Propose a later end: a new content_hash; the old term runs on."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                notice = await renew_notice(
                    turn.tx,
                    notice_id,
                    body.ends_at,
                    by=officer(caller),
                    keyring=parts.keyring,
                    packs=parts.packs,
                    district=parts.district,
                )
                turn.keep(200, notice_body(notice))
        return answer(turn)

    @router.post("/notices/{notice_id}/suspension")
    async def post_suspension(request: Request, notice_id: UUID, body: ReasonBody, caller: Overseer) -> Response:
        """Let a notice rest."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                notice = await suspend_notice(
                    turn.tx, notice_id, body.reason, by=officer(caller), keyring=parts.keyring
                )
                turn.keep(200, notice_body(notice))
        return answer(turn)

    @router.post("/notices/{notice_id}/lifting")
    async def post_lifting(request: Request, notice_id: UUID, body: ReasonBody, caller: Overseer) -> Response:
        """End a suspension."""
        async with once_for(request, caller) as turn:
            if turn.answer is None:
                notice = await lift_suspension(
                    turn.tx, notice_id, body.reason, by=officer(caller), keyring=parts.keyring
                )
                turn.keep(200, notice_body(notice))
        return answer(turn)

    @router.get("/notices")
    async def get_notices(
        _caller: Reader, state: State = None, cursor: str | None = None, limit: Limit = 50
    ) -> dict[str, Any]:
        """List notices, newest first, without their subjects."""
        wanted = NoticeFilter(frozenset({state}) if state else frozenset())
        before = read_cursor(cursor) if cursor else None
        async with parts.db.read() as tx:
            rows = await queries.list_notices(tx, wanted, before=before, limit=limit + 1)
        shown = rows[:limit]
        following = write_cursor(shown[-1].proposed_at, shown[-1].notice.notice_id) if len(rows) > limit else None
        return {"items": [notice_body(row.notice, row.proposed_at) for row in shown], "next": following}

    @router.get("/notices/{notice_id}")
    async def get_notice(request: Request, notice_id: UUID, caller: Reader) -> dict[str, Any]:
        """Return a notice; its subject with purpose and case, to its author's unit and who may decide on it."""
        reading = await optional_reading(request, caller)
        async with parts.db.transaction() if reading else parts.db.read() as tx:
            row = await queries.read_notice(tx, notice_id)
            history = await queries.notice_history(tx, row.notice, parts.keyring)
            opened = None
            if reading and may_see(row.notice, caller.role, reading.officer):
                with suppress(KeyErased):
                    opened = await open_subject(tx, row, reading, keyring=parts.keyring)
        return notice_view_body(row.notice, row.proposed_at, history, opened)

    return router


async def checked_proposal(body: NoticeBody, parts: Parts) -> Proposal:
    """Return the proposal that a token may be asked for; a refused one costs none. Raises ProposalRefused."""
    async with parts.db.read() as tx:
        faults = [*await check_proposal(tx, body.asked(), parts.packs, parts.district)]
    document = body.document()
    # A kind that is not matched by a document would not need one.
    if body.kind in MATCHED_BY_DOCUMENT and document is None:
        faults.append(Fault("/subject/document", "document-required"))
    if body.kind in MATCHED_BY_DOCUMENT and body.premises_ids:
        faults.append(Fault("/premises_ids", "premises-not-for-kind"))
    if faults or document is None:
        raise ProposalRefused(faults)
    return body.proposal(document)
