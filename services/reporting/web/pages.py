"""Reporting's pages: the manager's overview."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from chassis.data.db import Database
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.pages import Pages
from services.reporting.use_cases import queries

Manager = Annotated[Caller, Depends(require("manager"))]


def pages(db: Database) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/")
    async def overview(request: Request, caller: Manager) -> Response:
        async with db.read() as tx:
            opened_at = await queries.opened_at(tx)
        shown: Pages = request.app.state.pages
        return shown.render(request, "overview.html", opened_at=opened_at)

    return router
