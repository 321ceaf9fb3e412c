"""The command centre: a live list of alerts, and beside it the one on which an officer works."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2.environment import TemplateModule
from markupsafe import Markup
from uuid_utils.compat import uuid7

from chassis.data.db import Transaction
from chassis.data.idempotency import once
from chassis.web import i18n
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.forms import Form, read_form
from services.alerts.api.parts import Parts, officer
from services.alerts.api.problems import PROBLEMS
from services.alerts.domain.alerts import StepRefused, city_day
from services.alerts.registration_client import PersonNotShown, RegistrationUnreachable
from services.alerts.use_cases import queries
from services.alerts.use_cases.apply_step import UnknownAlert
from services.alerts.use_cases.count_offered import count_offered
from services.alerts.use_cases.note_view import note_view
from services.alerts.use_cases.queries import AlertPage, AlertView
from services.alerts.web import shared
from services.alerts.web.address import BoardAddress
from services.alerts.web.areas import area_name, streets
from services.alerts.web.pace import KeptPace, span
from services.alerts.web.place_map import place_map
from services.alerts.web.rule_words import reader_language, rule_words
from services.alerts.web.shared import BoardRead, SharedReads, SharedRows, Window, read_board
from services.alerts.web.step_bar import step_bar
from services.alerts.web.steps import steps

DutyOfficer = Annotated[Caller, Depends(require("duty_officer"))]
DeskUser = Annotated[Caller, Depends(require("duty_officer", "notice_author", "notice_approver", "overseer"))]
# How long a person's data stays on the screen after somebody asked for it.
SHOWN_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Shown:
    """The person of an alert's stay, as registration gave it, and until when the page shows it."""

    stay: Mapping[str, Any]
    until: datetime


def pages(parts: Parts) -> APIRouter:
    """Return the router."""
    router = page_router()
    board = _Board(parts)

    @router.get("/")
    async def show(request: Request, caller: DeskUser) -> Response:
        """Show the board; who has no part in it goes to the notice desk."""
        if caller.role != "duty_officer":
            return RedirectResponse("/notices", 303)
        return await board.show(request, caller)

    @router.get("/board/list")
    async def show_list(
        request: Request, caller: DutyOfficer, seen: Annotated[int | None, Query(ge=0)] = None
    ) -> Response:
        """Show list and facets alone, for a board that has heard of the change at `seen` in the stream."""
        return await board.show_list(request, caller, seen)

    @router.get("/board/detail")
    async def show_detail(request: Request, caller: DutyOfficer) -> Response:
        """Show the open alert alone."""
        return await board.show(request, caller, template="board_detail_only.html")

    @router.get("/board/rows/{alert_id}")
    async def show_row(request: Request, alert_id: UUID, caller: DutyOfficer) -> Response:
        """Show one row of the list, where it stands."""
        return await board.show_row(request, caller, alert_id)

    @router.post("/alerts/{alert_id}/person")
    async def show_person(request: Request, alert_id: UUID, caller: DutyOfficer) -> Response:
        """Ask registration for the person, keep that it was asked, and show it for a while."""
        return await board.show_person(request, caller, alert_id)

    @router.post("/alerts/{alert_id}/{name}")
    async def take(request: Request, alert_id: UUID, name: str, caller: DutyOfficer) -> Response:
        """Take a step."""
        return await board.take(request, caller, alert_id, name)

    return router


class _Board:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pace = KeptPace()
        self._reads = SharedReads(self._read)
        self._shared_rows = SharedRows()
        self._steps = steps(parts.keyring)

    async def show(
        self,
        request: Request,
        caller: Caller,
        *,
        template: str = "",
        status: int = 200,
        form: Form | None = None,
        refused: str = "",
        person: Shown | None = None,
    ) -> Response:
        """Render the board, or a part of it where htmx asks; `form` is a refused step's, to be shown again."""
        address = BoardAddress.of(request)
        partial = request.headers.get("hx-request") == "true"
        async with self._parts.db.read() as tx:
            read = await read_board(tx, address.wanted(caller.subject), address.start, self._pace)
            # Only the whole page has sections with counts.
            offered = 0 if template or partial else await count_offered(tx, caller.subject)
            view = await self._view(tx, address.alert)
            drawing = await place_map(tx, view) if view else None
        return self._render(
            request,
            caller,
            read,
            template or ("board.html" if partial else "command_centre.html"),
            status,
            handovers_offered=offered,
            view=view,
            bar=step_bar(view) if view else (),
            drawing=drawing,
            area=area_name(self._parts, view.alert.division_code) if view else "",
            form=form or Form(),
            refused=refused,
            person=person,
            key=str(uuid7()),
            now=datetime.now(UTC),
        )

    async def show_list(self, request: Request, caller: Caller, seen: int | None) -> Response:
        """Render list and facets; who says what was seen of the stream shares with others what was read."""
        address = BoardAddress.of(request)
        wanted = (address.wanted(caller.subject), address.start)
        read = await self._reads.get(wanted, seen) if seen is not None else await self._read(wanted)
        return self._render(request, caller, read, "board_list_only.html")

    async def _read(self, wanted: Window) -> BoardRead:
        async with self._parts.db.read() as tx:
            return await read_board(tx, *wanted, self._pace)

    def _render(
        self, request: Request, caller: Caller, read: BoardRead, template: str, status: int = 200, **more: Any
    ) -> Response:
        address = BoardAddress.of(request)
        response: Response = request.app.state.pages.render(
            request,
            template,
            status,
            section="board",
            me=caller,
            address=address,
            page=read.page,
            rows_a_page=shared.ROWS,
            list_rows=self._rows(request, caller, address, read.page),
            counts=read.counts,
            pace=read.pace,
            span=span,
            quiet=read.quiet,
            units=read.units,
            rule_words=rule_words(self._parts),
            streets=streets(self._parts, read.counts.street, address.street),
            **more,
        )
        return response

    def _rows(self, request: Request, caller: Caller, address: BoardAddress, page: AlertPage) -> list[Markup]:
        def template() -> TemplateModule:
            module: TemplateModule = request.app.state.pages.module(
                request, "board_row.html", me=caller, address=address, rule_words=rule_words(self._parts)
            )
            return module

        words = (i18n.language(), city_day(datetime.now(UTC)))
        return self._shared_rows.of(page, address, caller.subject, words, template)

    async def _view(self, tx: Transaction, alert_id: UUID | None) -> AlertView | None:
        if alert_id is None:
            return None
        try:
            return await queries.read_alert(
                tx,
                alert_id,
                keyring=self._parts.keyring,
                packs=self._parts.packs,
                district=self._parts.district,
                language=reader_language(),
            )
        except UnknownAlert:
            return None

    async def show_row(self, request: Request, caller: Caller, alert_id: UUID) -> Response:
        async with self._parts.db.read() as tx:
            view = await self._view(tx, alert_id)
        if view is None:
            raise UnknownAlert(alert_id)
        places = {view.alert.premises_id: view.place} if view.place else {}
        page = AlertPage([view.alert], places, view.stream_position)
        return HTMLResponse(self._rows(request, caller, BoardAddress.of(request), page)[0])

    async def show_person(self, request: Request, caller: Caller, alert_id: UUID) -> Response:
        async with self._parts.db.read() as tx:
            view = await self._view(tx, alert_id)
        if view is None or view.alert.stay_id is None:
            raise UnknownAlert(alert_id)
        try:
            stay = await self._parts.registration.stay(
                view.alert.stay_id, str(alert_id), token=request.state.access_token, language=i18n.language()
            )
        except (PersonNotShown, RegistrationUnreachable) as error:
            problem = PROBLEMS[type(error)](error)
            response = await self.show(request, caller, status=problem.status, refused=problem.sentence())
            # Another service did not answer; the board did, and its answer is to be seen.
            response.headers["hx-retarget"] = "#board"
            return response
        async with self._parts.db.transaction() as tx:
            await note_view(tx, alert_id, by=officer(caller), keyring=self._parts.keyring)
        shown = Shown(stay, datetime.now(UTC) + SHOWN_FOR)
        return await self.show(request, caller, person=shown)

    async def take(self, request: Request, caller: Caller, alert_id: UUID, name: str) -> Response:
        if name not in self._steps:
            raise UnknownAlert(alert_id)
        model, step = self._steps[name]
        form = await read_form(request)
        key, form.values = form["key"], {field: text for field, text in form.values.items() if field != "key"}
        body = form.validate(model)
        form.values["step"] = name
        if body is None:
            return await self._show_faults(request, caller, form)
        try:
            async with once(
                self._parts.db,
                # One key for one form: pressed twice, it is one step.
                key=key,
                caller=caller.subject,
                operation=f"POST {request.url.path}",
                body=orjson.dumps(form.values, option=orjson.OPT_SORT_KEYS),
                secret=request.app.state.idempotency_secret,
                now=datetime.now(UTC),
            ) as turn:
                if turn.answer is None:
                    await step(turn.tx, caller, alert_id, body)
                    turn.keep(200, {})
        except StepRefused as error:
            problem = PROBLEMS[StepRefused](error)
            return await self.show(request, caller, status=409, form=form, refused=problem.sentence())
        if request.headers.get("hx-request") != "true":
            return RedirectResponse(BoardAddress.of(request).to(alert=alert_id), 303)
        return await self.show(request, caller)

    async def _show_faults(self, request: Request, caller: Caller, form: Form) -> Response:
        """Show the form again; with htmx its column alone, so that the person beside it stays to be looked at."""
        if request.headers.get("hx-request") != "true":
            return await self.show(request, caller, status=422, form=form)
        response = await self.show(request, caller, template="board_mine_only.html", status=422, form=form)
        response.headers["hx-retarget"] = "#board-mine"
        response.headers["hx-reswap"] = "outerMorph"
        return response
