"""The form by which a notice author proposes a notice."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import field_validator
from uuid_utils.compat import uuid7

from chassis.data.idempotency import once
from chassis.web import i18n
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.forms import Form, LocalTime, read_form
from chassis.web.moments import day_for_model, end_for_model, show_distant
from chassis.web.problems import Problem
from contracts.fields import field
from services.alerts.api.bodies import notice_body
from services.alerts.api.models import NOTICE, InReach, NoticeBody
from services.alerts.api.notices import checked_proposal
from services.alerts.api.parts import Parts, officer
from services.alerts.api.problems import PROBLEMS, document_errors, field_errors
from services.alerts.domain.alerts import city_day
from services.alerts.domain.contents import MATCHED_BY_DOCUMENT, RECIPIENT_KINDS, ProposalRefused
from services.alerts.registration_client import DocumentRefused, RegistrationUnreachable, TooManyTokens
from services.alerts.use_cases import queries
from services.alerts.use_cases.propose_notice import propose_notice
from services.alerts.web.desk import at, section_counts


class ProposalForm(NoticeBody):
    """A proposal as the page sends it: times of the city, a box for each recipient."""

    starts_at: Annotated[LocalTime, InReach, field(NOTICE)]
    ends_at: Annotated[LocalTime, InReach, field(NOTICE)]

    @field_validator("recipients", mode="before")
    @classmethod
    def _ticked(cls, boxes: Any) -> Any:
        return list(boxes) if isinstance(boxes, dict) else boxes


Author = Annotated[Caller, Depends(require("notice_author"))]
# The units that a notice usually goes to, so that the usual case is one press.
USUAL_RECIPIENT = "command-centre"
USUAL_DAYS = 30
RECIPIENT = "recipients."


def pages(parts: Parts) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/notices/new")
    async def show(request: Request, caller: Author) -> Response:
        """Show an empty form."""
        return await _show(request, caller, _usual(datetime.now(UTC)))

    @router.post("/notices/new")
    async def propose(request: Request, caller: Author) -> Response:
        """Propose, or show the form again with what is wrong; nothing typed is lost."""
        form = await read_form(request)
        body = _read(form, datetime.now(UTC))
        if body is None:
            return await _show(request, caller, form, status=422)
        try:
            notice_id = await _propose(request, caller, form, body)
        except ProposalRefused as refused:
            form.add(field_errors(refused.faults))
        except DocumentRefused as refused:
            form.add(document_errors(refused))
        except (RegistrationUnreachable, TooManyTokens) as error:
            problem = PROBLEMS[type(error)](error)
            return await _show(request, caller, form, status=problem.status, refused=problem.sentence())
        except Problem as problem:
            form.add(problem.errors)
        else:
            return RedirectResponse(at("awaiting") + f"&notice={notice_id}", 303)
        return await _show(request, caller, form, status=422)

    async def _propose(request: Request, caller: Caller, form: Form, body: NoticeBody) -> str:
        proposal = await checked_proposal(body, parts)
        author = officer(caller)
        token = await parts.registration.matching_token(proposal.subject.document, author, i18n.language())
        async with once(
            parts.db,
            key=form["key"],
            caller=caller.subject,
            operation="POST /notices/new",
            body=orjson.dumps(form.values, option=orjson.OPT_SORT_KEYS),
            secret=request.app.state.idempotency_secret,
            now=datetime.now(UTC),
        ) as turn:
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
        assert turn.answer is not None
        return str(orjson.loads(turn.answer.body)["notice_id"])

    async def _show(request: Request, caller: Caller, form: Form, *, status: int = 200, refused: str = "") -> Response:
        async with parts.db.read() as tx:
            units = await queries.all_units(tx)
            counts = await section_counts(tx, caller)
        rules = parts.packs.on(city_day(datetime.now(UTC)), parts.district).notices
        kinds = sorted(kind.value for kind in MATCHED_BY_DOCUMENT)
        response: Response = request.app.state.pages.render(
            request,
            "propose.html",
            status,
            section="new",
            me=caller,
            form=form,
            refused=refused,
            units=units,
            counts=counts,
            recipients=[unit_id for unit_id, unit in units.items() if unit.kind in RECIPIENT_KINDS],
            kinds=kinds[::-1],
            instruments={kind: rules.instruments(kind) for kind in kinds},
            start_back=rules.starts_at_most_days_back,
            start_ahead=rules.starts_at_most_days_ahead,
            longest={kind: rules.term(kind) for kind in kinds},
            key=form["key"] or str(uuid7()),
        )
        return response

    return router


def _usual(now: datetime) -> Form:
    return Form(
        {
            "kind": "wanted",
            "subject.document.kind": "resident_id",
            "ends_at": show_distant(now + timedelta(days=USUAL_DAYS)),
            RECIPIENT + USUAL_RECIPIENT: "on",
        }
    )


def _read(form: Form, now: datetime) -> NoticeBody | None:
    """Return the proposal as the API takes it, or None with the faults noted; an empty start is now."""
    if not form["starts_at"].strip():
        form.values["starts_at"] = show_distant(now)
    written = {
        "starts_at": end_for_model(form["starts_at"], now),
        "ends_at": end_for_model(form["ends_at"], now),
        "subject.birth_date": day_for_model(form["subject.birth_date"]),
    }
    typed = Form({name: value for name, value in (form.values | written).items() if name != "key"})
    body = typed.validate(ProposalForm)
    form.errors |= typed.errors
    return body
