"""The notice desk: notices by what they wait for, and the one that is open, with exactly what its approval signs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.idempotency import once
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.forms import Form, LocalTime, read_form
from chassis.web.models import StrictModel
from chassis.web.moments import end_for_model
from chassis.web.problems import Problem
from contracts.fields import field
from services.alerts.api.bodies import BadCursor, Cursor, read_cursor, write_cursor
from services.alerts.api.models import NOTICE, ApprovalBody, InReach, ReasonBody, WithdrawalBody
from services.alerts.api.parts import Parts, officer
from services.alerts.api.problems import PROBLEMS, field_errors
from services.alerts.domain.contents import ProposalRefused
from services.alerts.domain.notices import (
    ContentChanged,
    Notice,
    NoticeState,
    NotYourUnit,
    OwnNotice,
    SameUnit,
    WrongNoticeState,
)
from services.alerts.use_cases import queries
from services.alerts.use_cases.approve_notice import approve_notice
from services.alerts.use_cases.lift_suspension import lift_suspension
from services.alerts.use_cases.note_refused_approval import note_refused_approval
from services.alerts.use_cases.open_subject import SubjectNotYours
from services.alerts.use_cases.queries import NoticeFilter
from services.alerts.use_cases.renew_notice import renew_notice
from services.alerts.use_cases.suspend_notice import suspend_notice
from services.alerts.use_cases.withdraw_notice import withdraw_notice
from services.alerts.web.approval_checks import CHECKS, PREFIX, Unchecked, require_checks
from services.alerts.web.opened_notice import open_notice

DeskUser = Annotated[Caller, Depends(require("notice_author", "notice_approver", "overseer"))]
# A desk's list is worked through from the top; what is older is a click away.
ROWS = 100
SECTIONS: Mapping[str, NoticeFilter] = {
    "awaiting": NoticeFilter(awaiting=True),
    "active": NoticeFilter(frozenset({NoticeState.SCHEDULED, NoticeState.ACTIVE, NoticeState.SUSPENDED})),
    "ended": NoticeFilter(frozenset({NoticeState.ENDED})),
}
REFUSALS = (OwnNotice, SameUnit, NotYourUnit, ContentChanged, WrongNoticeState, SubjectNotYours)


class RenewalForm(StrictModel):
    """A later end, typed in the city's time."""

    ends_at: Annotated[LocalTime, InReach, field(NOTICE)]


Step = Callable[[Transaction, Caller, UUID, Any], Awaitable[Notice]]


def _before(request: Request) -> Cursor | None:
    """Where an older part of the list begins; None, the newest, also for a word that is no cursor."""
    try:
        return read_cursor(request.query_params["before"])
    except (KeyError, BadCursor):
        return None


def section_of(request: Request) -> str:
    """Which list is shown."""
    shown = request.query_params.get("show", "")
    return shown if shown in SECTIONS else "awaiting"


def at(section: str, notice_id: UUID | None = None) -> str:
    """The address of a list, and of the open notice."""
    query = {"show": section} | ({"notice": str(notice_id)} if notice_id else {})
    return f"/notices?{urlencode(query)}"


async def section_counts(tx: Transaction, caller: Caller) -> Mapping[str, int]:
    """How many notices each list holds for this reader."""
    own = _own(caller)
    return {
        name: await queries.count_notices(tx, replace(wanted, author_unit=own)) for name, wanted in SECTIONS.items()
    }


def _own(caller: Caller) -> str:
    """The unit whose notices alone an author sees."""
    return caller.unit if caller.role == "notice_author" else ""


def pages(parts: Parts) -> APIRouter:
    """Return the router."""
    router = page_router()
    desk = _Desk(parts)

    @router.get("/notices")
    async def show(request: Request, caller: DeskUser) -> Response:
        """Show a list and the open notice."""
        return await desk.show(request, caller, _id(request.query_params.get("notice", "")))

    @router.post("/notices/{notice_id}/subject")
    async def show_subject(request: Request, notice_id: UUID, caller: DeskUser) -> Response:
        """Show whom the notice names, once, and log it."""
        return await desk.show(request, caller, notice_id, with_subject=True)

    @router.post("/notices/{notice_id}/{name}")
    async def take(request: Request, notice_id: UUID, name: str, caller: DeskUser) -> Response:
        """Take a step."""
        return await desk.take(request, caller, notice_id, name)

    return router


class _Desk:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._steps: Mapping[str, tuple[str, type[StrictModel], Step]] = {
            "approval": ("notice_approver", ApprovalBody, self._approve),
            "withdrawal": ("notice_author", WithdrawalBody, self._withdraw),
            "renewal": ("notice_author", RenewalForm, self._renew),
            "suspension": ("overseer", ReasonBody, self._suspend),
            "lifting": ("overseer", ReasonBody, self._lift),
        }

    async def show(
        self,
        request: Request,
        caller: Caller,
        notice_id: UUID | None,
        *,
        with_subject: bool = False,
        status: int = 200,
        form: Form | None = None,
        refused: str = "",
    ) -> Response:
        """Render the desk; `form` is a refused step's, to be shown again."""
        section = section_of(request)
        async with self._parts.db.transaction() if with_subject else self._parts.db.read() as tx:
            counts = await section_counts(tx, caller)
            wanted = replace(SECTIONS[section], author_unit=_own(caller))
            before = _before(request)
            rows = await queries.list_notices(tx, wanted, before=before, limit=ROWS + 1)
            units = await queries.all_units(tx)
            opened = (
                await open_notice(tx, self._parts, caller, notice_id, with_subject=with_subject) if notice_id else None
            )
            now = await tx.database_time()
        response: Response = request.app.state.pages.render(
            request,
            "notice_desk.html",
            status,
            section=section,
            me=caller,
            at=at,
            counts=counts,
            rows=rows[:ROWS],
            older=write_cursor(rows[ROWS - 1].proposed_at, rows[ROWS - 1].notice.notice_id) if rows[ROWS:] else "",
            newest=before is None,
            units=units,
            opened=opened,
            missing=notice_id is not None and opened is None,
            checks=CHECKS,
            form=form or Form(),
            refused=refused,
            key=str(uuid7()),
            now=now,
        )
        return response

    async def take(self, request: Request, caller: Caller, notice_id: UUID, name: str) -> Response:
        """Take a step by its form, or show it again with what was wrong."""
        role, model, step = self._steps.get(name, ("", StrictModel, self._approve))
        if role != caller.role:
            raise Problem(403, "forbidden")
        form = await read_form(request)
        key, form.values = form["key"], {field: text for field, text in form.values.items() if field != "key"}
        ends_at = {"ends_at": end_for_model(form["ends_at"], datetime.now(UTC))} if form["ends_at"] else {}
        typed = Form({each: text for each, text in form.values.items() if not each.startswith(PREFIX)} | ends_at)
        body = typed.validate(model)
        form.errors |= typed.errors
        form.values["step"] = name
        if body is None:
            return await self.show(request, caller, notice_id, status=422, form=form)
        try:
            async with once(
                self._parts.db,
                key=key,
                caller=caller.subject,
                operation=f"POST {request.url.path}",
                body=orjson.dumps(form.values, option=orjson.OPT_SORT_KEYS),
                secret=request.app.state.idempotency_secret,
                now=datetime.now(UTC),
            ) as turn:
                if turn.answer is None:
                    await step(turn.tx, caller, notice_id, body)
                    if name == "approval":
                        # After the step: who may not approve is told that, and it is noted, whatever was ticked.
                        require_checks(form)
                    turn.keep(200, {})
        except ProposalRefused as refused:
            form.add(field_errors(refused.faults))
            return await self.show(request, caller, notice_id, status=422, form=form)
        except Unchecked:
            return await self.show(request, caller, notice_id, status=422, form=form)
        except REFUSALS as error:
            if isinstance(error, OwnNotice | SameUnit):
                async with self._parts.db.transaction() as tx:
                    await note_refused_approval(tx, notice_id, by=officer(caller))
            mapped = next(kind for kind in type(error).__mro__ if kind in PROBLEMS)
            problem = PROBLEMS[mapped](error)
            return await self.show(
                request, caller, notice_id, status=problem.status, form=form, refused=problem.sentence()
            )
        return RedirectResponse(at("active" if name != "withdrawal" else "ended", notice_id), 303)

    async def _approve(self, tx: Transaction, caller: Caller, notice_id: UUID, body: ApprovalBody) -> Notice:
        return await approve_notice(
            tx,
            notice_id,
            body.content_hash,
            approver=officer(caller),
            signer=self._parts.signer,
            keyring=self._parts.keyring,
        )

    async def _withdraw(self, tx: Transaction, caller: Caller, notice_id: UUID, body: WithdrawalBody) -> Notice:
        return await withdraw_notice(
            tx, notice_id, body.ending(), body.reason, by=officer(caller), keyring=self._parts.keyring
        )

    async def _renew(self, tx: Transaction, caller: Caller, notice_id: UUID, body: RenewalForm) -> Notice:
        return await renew_notice(
            tx,
            notice_id,
            body.ends_at,
            by=officer(caller),
            keyring=self._parts.keyring,
            packs=self._parts.packs,
            district=self._parts.district,
        )

    async def _suspend(self, tx: Transaction, caller: Caller, notice_id: UUID, body: ReasonBody) -> Notice:
        return await suspend_notice(tx, notice_id, body.reason, by=officer(caller), keyring=self._parts.keyring)

    async def _lift(self, tx: Transaction, caller: Caller, notice_id: UUID, body: ReasonBody) -> Notice:
        return await lift_suspension(tx, notice_id, body.reason, by=officer(caller), keyring=self._parts.keyring)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
