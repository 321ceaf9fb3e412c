"""Reporting's API: who is registered where, and how many alerts there were. Small cells are null."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from chassis.data.db import Database
from chassis.web.access import Caller, require
from chassis.web.app import api_router
from policy.packs import Packs
from services.reporting.domain.asked import check_day, check_division, today
from services.reporting.domain.occupancy import Day, Figures
from services.reporting.use_cases import queries

Manager = Annotated[Caller, Depends(require("manager"))]
Division = Annotated[str | None, Query(max_length=12)]


def routes(db: Database, packs: Packs, district: str) -> APIRouter:
    """Return the router."""
    router, earliest = api_router(), packs.begins(district)

    @router.get("/occupancy")
    async def get_occupancy(_caller: Manager, division: Division = None, on: date | None = None) -> dict[str, Any]:
        """Return who was registered at a day's end (today: now), came and went, by kind.

        null is a count of 1 to 9, or one that hides such a count. Kinds without any are left out.
        """
        now = datetime.now(UTC)
        where, day = check_division(division or district), check_day(on or today(now), earliest, now)
        async with db.read() as tx:
            return occupancy(where, day, await queries.occupancy(tx, packs, where, day))

    @router.get("/alert-counts")
    async def get_alert_counts(
        _caller: Manager,
        division: Division = None,
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
    ) -> dict[str, Any]:
        """Return how many alerts were raised, and how many came to which step, by kind, on the days from … to.

        null is a count with a day of 1 to 9 in it, or one that hides such a day. Kinds without any are left out.
        """
        now = datetime.now(UTC)
        where, until = check_division(division or district), check_day(last or today(now), earliest, now, "to")
        begin = check_day(first or until, earliest, now, "from")
        async with db.read() as tx:
            period = await queries.alert_counts(tx, packs, where, begin, until)
        return {
            "division": where,
            "from": begin.isoformat(),
            "to": until.isoformat(),
            **period.shown(where),
            "by_kind": [{"kind": kind, **counts} for kind, counts in period.kinds(where).items()],
        }

    @router.get("/housing-counts")
    async def get_housing_counts(
        _caller: Manager,
        division: Division = None,
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
    ) -> dict[str, Any]:
        """Return premises and open hazards at the end of the days from … to, and what happened on them, by kind.

        `clear_seconds_…` is the mean time from found to cleared, null where nothing was cleared. No place is hidden.
        """
        now = datetime.now(UTC)
        where, until = check_division(division or district), check_day(last or today(now), earliest, now, "to")
        begin = check_day(first or until, earliest, now, "from")
        async with db.read() as tx:
            housing = await queries.housing_counts(tx, begin, until)
        return {
            "division": where,
            "from": begin.isoformat(),
            "to": until.isoformat(),
            **housing.counts(where),
            "by_kind": [{"kind": kind, **counts} for kind, counts in housing.kinds(where).items()],
        }

    return router


def occupancy(division: str, on: date, day: Day) -> dict[str, Any]:
    """Return a day's figures as they are answered."""
    return {
        "division": division,
        "on": on.isoformat(),
        **_figures(day.shown(division)),
        "by_kind": [{"kind": kind, **_figures(figures)} for kind, figures in day.kinds(division).items()],
    }


def _figures(figures: Figures) -> dict[str, int | None]:
    return {
        "registered": figures.registered,
        "arrivals": figures.arrivals,
        "departures": figures.departures,
    }
