"""Reporting's pages: the manager's overview, and its tables as files."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from chassis.data.db import Database, Transaction
from chassis.web.access import Caller, require
from chassis.web.app import page_router
from chassis.web.i18n import gettext as _
from chassis.web.pages import Pages
from policy.packs import Packs
from services.reporting.domain.asked import BadQuestion, check_day, check_division, today
from services.reporting.domain.divisions import ancestors
from services.reporting.domain.occupancy import Day, Figures
from services.reporting.domain.read_models import Owner
from services.reporting.use_cases import queries
from services.reporting.web.division_names import DivisionNames
from services.reporting.web.exports import Row, as_csv, as_xlsx

Manager = Annotated[Caller, Depends(require("manager"))]
# How many days the course of the registered shows.
COURSE_DAYS = 14


def pages(db: Database, packs: Packs, district: str) -> APIRouter:
    """Return the router."""
    router = page_router()

    @router.get("/")
    async def overview(
        request: Request,
        caller: Manager,
        division: Annotated[str, Query(max_length=40)] = "",
        on: Annotated[str, Query(max_length=40)] = "",
    ) -> Response:
        now, shown = datetime.now(UTC), _pages(request)
        error: BadQuestion | None = None
        try:
            where, day = _asked(division, on, district, now, packs)
        except BadQuestion as refused:
            error, where, day = refused, district, today(now)
        names = DivisionNames.on(packs, day)
        async with db.read() as tx:
            opened_at = await queries.opened_at(tx)
            arrived_at = await queries.arrived_at(tx, Owner.REGISTRATION)
            figures = await queries.occupancy(tx, packs, where, day)
            days = await _days_before(tx, packs, where, day)
        # What is hidden takes a second to decide in a large city: other requests are answered meanwhile.
        total = await asyncio.to_thread(figures.shown, where)
        course = await asyncio.to_thread(_course, days, where)
        return shown.render(
            request,
            "overview.html",
            status=422 if error else 200,
            error=error,
            opened_at=opened_at,
            arrived_at=arrived_at,
            names=names,
            offered=names.offered(district),
            division=where,
            above=[(each, f"/?division={each}&on={day}") for each in reversed(ancestors(where))],
            on=day.isoformat(),
            asked={"division": division or where, "on": on or day.isoformat()},
            total=total,
            kinds=figures.kinds(where),
            parts={part: figures.shown(part) for part in figures.parts(where)},
            course=course,
        )

    @router.get("/occupancy.{form}")
    async def export(
        caller: Manager,
        form: Literal["csv", "xlsx"],
        division: Annotated[str, Query(max_length=40)] = "",
        on: Annotated[str, Query(max_length=40)] = "",
    ) -> Response:
        where, day = _asked(division, on, district, datetime.now(UTC), packs)
        async with db.read() as tx:
            figures = await queries.occupancy(tx, packs, where, day)
        await asyncio.to_thread(figures.shown, where)
        write = as_csv if form == "csv" else as_xlsx
        return write(_rows(where, day, figures, DivisionNames.on(packs, day)), f"occupancy-{where}-{day.isoformat()}")

    return router


def _pages(request: Request) -> Pages:
    shown: Pages = request.app.state.pages
    return shown


def _asked(division: str, on: str, district: str, now: datetime, packs: Packs) -> tuple[str, date]:
    try:
        day = date.fromisoformat(on) if on else today(now)
    except ValueError:
        raise BadQuestion("on", "not-a-date") from None
    where = DivisionNames.on(packs, check_day(day, packs.begins(district), now)).code(division) or district
    return check_division(where), day


async def _days_before(tx: Transaction, packs: Packs, division: str, last: date) -> dict[date, Day]:
    begins = max(packs.begins(division), last - timedelta(days=COURSE_DAYS - 1))
    days = [begins + timedelta(days=after) for after in range((last - begins).days + 1)]
    return {day: await queries.occupancy(tx, packs, division, day) for day in days}


def _course(days: Mapping[date, Day], division: str) -> list[tuple[date, int | None]]:
    return [(day, figures.registered_in(division)) for day, figures in days.items()]


def _rows(division: str, on: date, figures: Day, names: DivisionNames) -> Sequence[Row]:
    hidden = _("suppressed")

    def row(where: str, kind: str, its: Figures) -> Row:
        counts = (its.registered, its.arrivals, its.departures, its.on_time, its.late)
        return [on.isoformat(), where, names.of(where), kind, *(hidden if count is None else count for count in counts)]

    head = ("day", "division", "division_name", "kind", "registered", "arrivals", "departures", "on_time", "late")
    return [
        head,
        *(row(division, kind, its) for kind, its in figures.kinds(division).items()),
        row(division, "", figures.shown(division)),
        *(row(part, "", figures.shown(part)) for part in figures.parts(division)),
    ]
