"""Departments' events over HTTP, for those who cannot reach Kafka: the same ones, resumable."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from chassis.web.access import Caller, require
from chassis.web.app import api_router
from chassis.web.problems import Problem
from contracts.departments import of_owner
from services.alerts.stream import LAST_POSITION, DepartmentFeed, last_event_id

# Those whose topic this service writes, also where it has written nothing yet.
DEPARTMENTS = frozenset(department.name for department in of_owner("alerts"))


def routes(feed: DepartmentFeed) -> APIRouter:
    """Return the router."""
    router = api_router()

    @router.get("/departments/{department}/events")
    async def get_events(
        request: Request,
        department: str,
        caller: Annotated[Caller, Depends(require("department_officer"))],
        after: Annotated[int, Query(ge=0, le=LAST_POSITION)] = 0,
    ) -> Response:
        """Follow the own department's events as server-sent events: those behind `after` or `Last-Event-ID`, else all.

        Each has the id of its place and as data `{ce_id, ce_type, ce_source, data}`.
        """
        if department not in DEPARTMENTS:
            raise Problem(404, "not-found")
        if caller.unit != department:
            raise Problem(403, "forbidden")
        events = await feed.open(department, last_event_id(request, after) or 0)
        response: Response = request.app.state.streams.open(events)
        return response

    return router
