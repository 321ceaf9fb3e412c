"""What many boards show at once: read once and rendered once, for as long as it is true.

A change is told to every open board, and each asks for its list. Without this a process would read and render the same
200 rows for each of them: 200 boards and 20 alerts a second are more than it can do a hundred times over.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from jinja2.environment import TemplateModule
from markupsafe import Markup

from chassis.data.db import Transaction
from services.alerts.domain.alerts import Alert
from services.alerts.use_cases import queries
from services.alerts.use_cases.queries import AlertFilter, AlertPage, Counts, Unit
from services.alerts.use_cases.read_pace import Pace
from services.alerts.web.address import BoardAddress
from services.alerts.web.pace import KeptPace

Window = tuple[AlertFilter, int]
"""Which alerts a list shows, and how many of them come before its first."""

K = TypeVar("K")
V = TypeVar("V")

# What a screen can show and an eye can follow; further pages and the facets lead to the rest.
ROWS = 200
# How old a shared list may be whatever its position: how many alerts are overdue changes without any change told.
KEPT_SECONDS = 1.0
# Filters that are looked at at the same time; each keeps up to 200 alerts.
MOST_FILTERS = 32
# A row has some 2 KB: 10 MB for twenty lists of which no two show the same row the same way.
MOST_ROWS = 5_000


class Kept(OrderedDict[K, V], Generic[K, V]):
    """A mapping that forgets what was put in first when it grows past `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        """Keep a value."""
        super().__setitem__(key, value)
        if len(self) > self._most:
            self.popitem(last=False)


@dataclass(frozen=True, slots=True)
class BoardRead:
    """What the database says about a board, one snapshot: nobody's own, but for who asked for their own alone."""

    page: AlertPage
    counts: Counts
    pace: Pace
    quiet: datetime | None
    units: Mapping[str, Unit]


async def read_board(tx: Transaction, wanted: AlertFilter, start: int, pace: KeptPace) -> BoardRead:
    """Read a board's list and figures."""
    page = await queries.list_board(tx, wanted, start=start, limit=ROWS)
    return BoardRead(
        page=page,
        counts=await queries.count_alerts(tx),
        pace=await pace.read(tx),
        quiet=await queries.quiet_since(tx) if not page.alerts else None,
        units=await queries.all_units(tx),
    )


@dataclass(slots=True)
class _Shared:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    read: BoardRead | None = None
    at: float = 0.0


class SharedReads:
    """One process's reads of the board by filter. `read` asks the database."""

    def __init__(self, read: Callable[[Window], Awaitable[BoardRead]]) -> None:
        self._read = read
        self._kept: Kept[Window, _Shared] = Kept(MOST_FILTERS)

    async def get(self, wanted: Window, seen: int) -> BoardRead:
        """Return what is true now, or was a moment ago with all that the stream told up to the position `seen`.

        One asks the database; who comes meanwhile waits and takes its answer, unless they were told of something newer.
        """
        shared = self._kept.get(wanted)
        if shared is None:
            shared = self._kept[wanted] = _Shared()
        async with shared.turn:
            now = time.monotonic()
            if shared.read is None or shared.read.page.stream_position < seen or now - shared.at > KEPT_SECONDS:
                shared.read, shared.at = await self._read(wanted), now
            return shared.read


class SharedRows:
    """Rows of the list as HTML, by everything that a row is made of."""

    def __init__(self) -> None:
        self._kept: Kept[tuple[Any, ...], Markup] = Kept(MOST_ROWS)

    def of(
        self,
        page: AlertPage,
        address: BoardAddress,
        reader: str,
        words: tuple[Any, ...],
        template: Callable[[], TemplateModule],
    ) -> list[Markup]:
        """Return a page's rows; `words` tells in which language and of which day the rules' names are.

        `template` gives board_row.html for this reader, and is asked for it only when there is a row to render.
        """
        found, module = [], None
        links = address.query(alert=None)
        for alert in page.alerts:
            place = page.places.get(alert.premises_id)
            key = (
                *words,
                links,
                address.alert == alert.alert_id,
                _is_of(reader, alert),
                place,
                orjson.dumps(alert, default=str),
            )
            row = self._kept.get(key)
            if row is None:
                module = module or template()
                row = self._kept[key] = module.row(alert, page.places)  # type: ignore[attr-defined]
            found.append(row)
        return found


def _is_of(reader: str, alert: Alert) -> bool:
    return alert.owner is not None and alert.owner.subject == reader
