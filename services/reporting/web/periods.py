"""The pages of a period: premises, inspections and hazards; alerts. Each with its chart, and as files."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from chassis.data.db import Database
from chassis.web import i18n
from chassis.web.app import page_router
from policy.packs import Packs
from services.reporting.domain import alert_counts, housing_counts
from services.reporting.domain.asked import BadQuestion, check_day, check_division, today
from services.reporting.domain.divisions import ancestors
from services.reporting.domain.periods import check_period
from services.reporting.domain.read_models import Owner
from services.reporting.use_cases import queries
from services.reporting.web import sheets
from services.reporting.web.division_names import DivisionNames
from services.reporting.web.exports import as_csv, as_xlsx
from services.reporting.web.pages import Manager

# As long as a month's report, and short enough to be read at once.
USUAL_DAYS = 30
Text = Annotated[str, Query(max_length=40)]
First = Annotated[str, Query(alias="from", max_length=40)]
Last = Annotated[str, Query(alias="to", max_length=40)]
HEAD = ("from", "to", "division", "division_name", "kind")


class Asked(NamedTuple):
    """A division and a period."""

    division: str
    first: date
    last: date

    @property
    def query(self) -> dict[str, str]:
        """The same as parameters."""
        return {"division": self.division, "from": self.first.isoformat(), "to": self.last.isoformat()}


def pages(db: Database, packs: Packs, district: str) -> APIRouter:
    """Return the router."""
    router = page_router()

    async def show(request: Request, what: Literal["housing", "alerts"], division: str, first: str, last: str) -> Any:
        now, error = datetime.now(UTC), None
        try:
            asked = _asked(division, first, last, district, now, packs)
        except BadQuestion as refused:
            error, asked = refused, _asked("", "", "", district, now, packs)
        names = DivisionNames.on(packs, asked.last)

        def link(part: str) -> str:
            return f"/{what}?division={part}&from={asked.first}&to={asked.last}"

        async with db.read() as tx:
            opened_at = await queries.opened_at(tx)
            arrived_at = await queries.arrived_at(tx, Owner(what))
            if what == "housing":
                housing = await queries.housing_counts(tx, asked.first, asked.last)
                drawn = sheets.housing_sheets(housing, asked.division, link, names)
            else:
                period = await queries.alert_counts(tx, packs, asked.division, asked.first, asked.last)
                rules = packs.on(asked.last, asked.division).conditions.by_rule
                english = i18n.language() == "en"
                titles = {rule: its.title_en if english else its.title_zh for rule, its in rules.items()}
                drawn = sheets.alert_sheets(period, asked.division, link, names, titles)
        return request.app.state.pages.render(
            request,
            "period.html",
            status=422 if error else 200,
            what=what,
            error=error,
            opened_at=opened_at,
            arrived_at=arrived_at,
            names=names,
            offered=names.offered(district),
            asked=asked,
            typed={**asked.query, **{k: v for k, v in (("division", division), ("from", first), ("to", last)) if v}},
            above=[(each, link(each)) for each in reversed(ancestors(asked.division))],
            sheets=drawn,
        )

    @router.get("/housing")
    async def housing(
        request: Request, caller: Manager, division: Text = "", first: First = "", last: Last = ""
    ) -> Any:
        return await show(request, "housing", division, first, last)

    @router.get("/alerts")
    async def alerts(request: Request, caller: Manager, division: Text = "", first: First = "", last: Last = "") -> Any:
        return await show(request, "alerts", division, first, last)

    @router.get("/{what}-counts.{form}")
    async def export(
        caller: Manager,
        what: Literal["housing", "alert"],
        form: Literal["csv", "xlsx"],
        division: Text = "",
        first: First = "",
        last: Last = "",
    ) -> Response:
        asked = _asked(division, first, last, district, datetime.now(UTC), packs)
        period = (asked.first.isoformat(), asked.last.isoformat())
        async with db.read() as tx:
            if what == "housing":
                counted = sheets.all_of_housing(
                    await queries.housing_counts(tx, asked.first, asked.last), asked.division
                )
                measures = (*housing_counts.LEVELS, *housing_counts.FLOWS, *housing_counts.SECONDS)
            else:
                its = await queries.alert_counts(tx, packs, asked.division, asked.first, asked.last)
                counted, measures = sheets.all_of_alerts(its, asked.division), alert_counts.MEASURES
        write = as_csv if form == "csv" else as_xlsx
        rows = sheets.file_rows(HEAD, period, counted, measures, DivisionNames.on(packs, asked.last))
        return write(rows, f"{what}-counts-{asked.division}-{period[0]}-{period[1]}")

    return router


def _asked(division: str, first: str, last: str, district: str, now: datetime, packs: Packs) -> Asked:
    earliest = packs.begins(district)
    end = check_day(_date(last, "to") or today(now), earliest, now, "to")
    usual = max(earliest, end - timedelta(days=USUAL_DAYS - 1))
    begin = check_day(_date(first, "from") or usual, earliest, now, "from")
    check_period(begin, end)
    where = DivisionNames.on(packs, end).code(division) or district
    return Asked(check_division(where), begin, end)


def _date(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise BadQuestion(field, "not-a-date") from None
