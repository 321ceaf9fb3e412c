"""Owns the figure of each desk on the start page: what waits there, asked of the services as that desk's own people."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx

READ_SECONDS = 1.5
# However many look at the page, the services are asked at most so often.
FRESH_SECONDS = 5.0
# A page of a list (interfaces.md): "100+" says enough on a start page.
MOST = 100
# The area of the clerk and the inspector that the start page leads to first.
AREA = "330199001"

AsRole = Callable[[str], str]
"""A role's bearer token."""
Ask = Callable[[str, str, str], Awaitable[Any]]
"""The answer to a GET of a service's API: (role, service, path with query). Raises NoAnswer."""


class NoAnswer(Exception):
    """A service did not answer, or not as its API promises."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A desk's number and the one beside it; None is not known, `up` tells apart what is suppressed.

    `more`: there are more than `number`. `since`: RFC 3339, since when the oldest waits.
    """

    number: int | None = None
    second: int | None = None
    more: bool = False
    since: str | None = None
    up: bool = True


class DeskFigures:
    """Asks the services when somebody looks. `addresses` maps a process to where its API is."""

    def __init__(self, addresses: Mapping[str, str], token: AsRole, client: httpx.AsyncClient | None = None) -> None:
        self._addresses = addresses
        self._token = token
        self._client = client
        self._kept: dict[str, Figure] = {}
        self._read_at = -FRESH_SECONDS
        self._turn = asyncio.Lock()

    async def figures(self) -> dict[str, dict[str, Any]]:
        """Return each desk's figure as JSON takes it, by role; of a service that does not answer `up` is false."""
        async with self._turn:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                self._kept = dict(await asyncio.gather(*(self._of(role, read) for role, read in READ.items())))
                self._read_at = time.monotonic()
        return {role: asdict(figure) for role, figure in self._kept.items()}

    async def _of(self, role: str, read: Callable[[Ask], Awaitable[Figure]]) -> tuple[str, Figure]:
        try:
            return role, await read(self._ask)
        except (NoAnswer, KeyError, TypeError):
            return role, Figure(up=False)

    async def _ask(self, role: str, service: str, path: str) -> Any:
        client = self._client = self._client or httpx.AsyncClient()
        address = self._addresses.get(f"{service}-web")
        if address is None:
            raise NoAnswer
        try:
            headers = {"authorization": f"Bearer {self._token(role)}"}
            answer = await client.get(f"{address}/api/v1/{path}", headers=headers, timeout=READ_SECONDS)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswer from error


async def _alerts(ask: Ask) -> Figure:
    """To acknowledge, and since when the oldest of them waits."""
    page = await ask("duty_officer", "alerts", f"alerts?state=new&limit={MOST}")
    found, more = page["items"], page["next"] is not None
    # Newest first: with more of them the oldest is not among these.
    since = found[-1]["raised_at"] if found and not more else None
    return Figure(len(found), more=more, since=since)


async def _notices(ask: Ask, state: str) -> tuple[Sequence[Mapping[str, Any]], bool]:
    page = await ask("overseer", "alerts", f"notices?state={state}&limit={MOST}")
    return page["items"], page["next"] is not None


async def _awaiting(ask: Ask) -> Figure:
    """Awaiting approval; a renewal does so while its notice is active."""
    (proposed, more), (active, _) = await asyncio.gather(_notices(ask, "proposed"), _notices(ask, "active"))
    renewals = sum(each["renewal"] is not None for each in active)
    return Figure(len(proposed) + renewals, more=more)


async def _in_force(ask: Ask) -> Figure:
    """In force, and suspended."""
    (active, more), (suspended, _) = await asyncio.gather(_notices(ask, "active"), _notices(ask, "suspended"))
    return Figure(len(active), len(suspended), more)


async def _registered(ask: Ask, division: str = "") -> Figure:
    """Registered now; a small number is suppressed."""
    day = await ask("manager", "reporting", f"occupancy?division={division}" if division else "occupancy")
    return Figure(day["registered"])


async def _beds(ask: Ask) -> Figure:
    """Free places of the hotel, and taken ones."""
    page = await ask("premises_operator", "registration", "premises")
    rooms = [room for each in page["items"] for room in each["rooms"]]
    free = sum(room["free"] for room in rooms)
    return Figure(free, sum(room["capacity"] for room in rooms) - free)


async def _hazards(ask: Ask) -> Figure:
    """Open hazards of the area, and how many premises it has."""
    counts = await ask("manager", "reporting", f"housing-counts?division={AREA}")
    open_now = sum(counts[f"hazards_open_{severity}"] for severity in ("imminent", "serious", "minor"))
    return Figure(open_now, counts["premises_open"])


async def _registered_in_area(ask: Ask) -> Figure:
    return await _registered(ask, AREA)


READ: Mapping[str, Callable[[Ask], Awaitable[Figure]]] = {
    "duty_officer": _alerts,
    "clerk": _registered_in_area,
    "premises_operator": _beds,
    "notice_author": _awaiting,
    "overseer": _in_force,
    "inspector": _hazards,
    "manager": _registered,
}
