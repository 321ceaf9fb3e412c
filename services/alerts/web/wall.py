"""The wall of the command centre: what waits, where and how long, for a room that reads it from afar."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from chassis.web.access import Caller, require
from chassis.web.app import page_router
from services.alerts.api.parts import Parts
from services.alerts.domain.alerts import Alert
from services.alerts.domain.places import coarse
from services.alerts.use_cases import queries
from services.alerts.use_cases.queries import Unit
from services.alerts.use_cases.read_divisions import Division, read_divisions
from services.alerts.use_cases.read_pace import Pace
from services.alerts.use_cases.read_wall import Wall, read_wall
from services.alerts.web.pace import KeptPace, span
from services.alerts.web.rule_words import reader_language, rule_words
from services.alerts.web.wall_map import WallMap, draw

DutyOfficer = Annotated[Caller, Depends(require("duty_officer"))]
# Houses do not move: where divisions lie is reckoned from all premises, and now and then is enough.
DIVISIONS_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A wall with its drawing, and how each alert's place may be named where everybody reads it."""

    wall: Wall
    pace: Pace
    drawing: WallMap | None
    where: Mapping[str, str]


def pages(parts: Parts) -> APIRouter:
    """Return the router."""
    router = page_router()
    walls = _Walls(parts)

    @router.get("/wall")
    async def show(request: Request, caller: DutyOfficer) -> Response:
        """Show the wall."""
        return await walls.show(request, caller, "wall.html")

    @router.get("/wall/now")
    async def show_now(request: Request, caller: DutyOfficer) -> Response:
        """Show what is on it alone, for a wall that hangs already."""
        return await walls.show(request, caller, "wall_now.html")

    return router


class _Walls:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pace = KeptPace()
        self._divisions: Sequence[Division] = ()
        self._known_until = 0.0

    async def show(self, request: Request, caller: Caller, template: str) -> Response:
        shown = await self._read()
        response: Response = request.app.state.pages.render(
            request,
            template,
            me=caller,
            wall=shown.wall,
            pace=shown.pace,
            drawing=shown.drawing,
            where=shown.where,
            rule_words=rule_words(self._parts),
            span=span,
            now=datetime.now(UTC),
            # A wall hangs in a dim room: it is dark whatever its desk's own choice.
            theme="dark",
        )
        return response

    async def _read(self) -> Shown:
        async with self._parts.db.read() as tx:
            wall = await read_wall(tx)
            pace = await self._pace.read(tx)
            if time.monotonic() >= self._known_until:
                self._divisions = await read_divisions(tx)
                self._known_until = time.monotonic() + DIVISIONS_SECONDS
            units = await queries.all_units(tx)
        return Shown(wall, pace, draw(self._divisions, wall.by_division, wall.first), _places(wall, units))


def _places(wall: Wall, units: Mapping[str, Unit]) -> Mapping[str, str]:
    """Name where each alert is: as its address does, else by the unit in whose area it lies, else by its code."""
    named = {}
    for alert in (*wall.rest, *([wall.first] if wall.first else ())):
        place = wall.places.get(alert.premises_id)
        words = coarse(place.address, alert.kind) if place else ""
        named[str(alert.alert_id)] = words or _unit_at(alert, units) or alert.division_code[:9]
    return named


def _unit_at(alert: Alert, units: Mapping[str, Unit]) -> str:
    """Return the name of the unit with the smallest area around an alert; one that has none is responsible nowhere."""
    areas = [(area, unit) for unit in units.values() for area in unit.areas if alert.division_code.startswith(area)]
    if not areas:
        return ""
    unit = max(areas, key=lambda found: len(found[0]))[1]
    return unit.name_en if reader_language() == "en" else unit.name_zh
