"""200 command-centre boards on one web process while alerts come: when the last one is told, and when it shows it.

A board does what assets/src/alerts.js does: it hears of a change, rests, and loads its list again. Each is another
officer's, so nothing that is one person's own can be shared.
"""

import asyncio
import random
import re
import time
import uuid
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.rounds import Goal, Measured, Outcome, Plan, figure_of, percentile
from benchmarks.wanted import DISTRICT, PUBLIC, arrival, make_notices, token_of
from benchmarks.web import Web, web
from benchmarks.wire import Connection, StreamRefused, lines
from chassis.data.db import Database
from chassis.data.migrations import migrate
from chassis.events.records import Record
from contracts import envelope, topics
from policy import packs
from services.alerts.consumers import StayReader
from services.alerts.domain.signatures import verifier_from
from services.alerts.use_cases.refresh_watchlist import WatchlistKeeper
from services.alerts.watchlist import Watchlist
from tests.waiting import until

BOARDS = 200
PER_SECOND = 20
SECONDS = 60
# The board's own list is full by then, and the process's memory is what it will stay.
WARM_UP_SECONDS = 15
# After the last alert the boards may still be loading.
PATIENCE_SECONDS = 120
LOADS = ("list loads per second", "ms of CPU a list load", "cores of the web process", "streams that came back")
TOLD, SHOWN = "ms until the last board is told", "ms until the last list shows it"
Raise = Callable[[], Awaitable[None]]
POSITION = re.compile(rb'data-position="([0-9]+)"')
# As the stream tells browsers (chassis/web/streams.py).
RECONNECT_SECONDS = 1.0
# As in assets/src/alerts.js: the rest before a list is loaded, and how long it grows while changes keep coming.
QUIET_SECONDS = 0.12
LONGEST_SECONDS = 2.0


@dataclass(slots=True)
class Board:
    """One officer's board: what it was told, and up to which position its list has come, with the times."""

    web: Web
    headers: bytes
    told: dict[int, float] = field(default_factory=dict)
    shown: list[tuple[int, float]] = field(default_factory=list)
    comebacks: int = 0
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _wanted: int = 0
    _asks: int = 0

    @property
    def stands_at(self) -> int:
        """The position that the list on the screen has."""
        return self.shown[-1][0]

    def showed(self, position: int) -> float:
        """When the list had come so far."""
        return self.shown[bisect_left(self.shown, (position, 0.0))][1]

    async def open(self) -> None:
        """Load the list for the first time."""
        connection = await Connection.open(self.web.port)
        await self._load(connection)
        connection.close()

    async def listen(self) -> None:
        """Follow the stream from where the list stands; come back when it ends, as a browser does."""
        seen = self.stands_at
        while True:
            connection = await Connection.open(self.web.port)
            with suppress(StreamRefused, ConnectionError, asyncio.IncompleteReadError):
                async for block in connection.events(f"/api/v1/alerts/stream?after={seen}", self.headers):
                    if b"event: alert" in block:
                        seen = int(block[block.index(b"id: ") + 4 : block.index(b"\n")])
                        self._hear(seen)
            connection.close()
            self.comebacks += 1
            await asyncio.sleep(RECONNECT_SECONDS)

    def _hear(self, position: int) -> None:
        self.told.setdefault(position, time.perf_counter())
        self._wanted = position
        self._asks += 1
        self._heard.set()

    async def follow(self) -> None:
        """Load the list again and again while the stream is ahead of it."""
        connection = await Connection.open(self.web.port)
        rest = QUIET_SECONDS
        while True:
            await self._heard.wait()
            await asyncio.sleep(rest * (0.5 + random.random()))  # noqa: S311 - to part boards, no secret
            rest = min(2 * rest, LONGEST_SECONDS) if self._asks > 1 else QUIET_SECONDS
            self._asks = 0
            self._heard.clear()
            if self._wanted > self.stands_at:
                await self._load(connection)

    async def _load(self, connection: Connection) -> None:
        status, body = await connection.request("GET", f"/board/list?seen={self._wanted}", self.headers)
        found = POSITION.search(body)
        if status != 200 or found is None:
            raise RuntimeError(f"a board's list answered {status}")
        self.shown.append((int(found[1]), time.perf_counter()))


async def measure(plan: Plan) -> list[Measured]:
    """Measure milliseconds from an alert's intended time to the last board, and the process's memory."""
    rounds = [{"ours": await _round(plan)} for _ in range(plan.rounds)]
    told = figure_of(rounds, f"{TOLD}, p95", "ours", own=Goal(300, most=True))
    others = [f"{TOLD}, p50", f"{SHOWN}, p50", f"{SHOWN}, p95", *LOADS]
    return [told, *(figure_of(rounds, each, "ours") for each in [*others, "MB after warming up", "MB at the end"])]


async def _round(plan: Plan) -> Outcome:
    dsn = await plan.parts.new_database()
    await migrate(dsn, "alerts")
    db = Database(dsn, service="alerts")
    try:
        await make_notices(db, 1)
        raise_one = await _raising(db)
        async with web("alerts", dsn, plan.parts.folder) as process, asyncio.TaskGroup() as running:
            boards = [Board(process, _officer(process, number)) for number in range(BOARDS)]
            for board in boards:
                await board.open()
            tasks = [running.create_task(each) for board in boards for each in (board.listen(), board.follow())]
            outcome = await _watch(process, boards, raise_one, plan.count(SECONDS))
            for task in tasks:
                task.cancel()
            return outcome
    finally:
        await db.dispose()


async def _watch(web: Web, boards: Sequence[Board], raise_one: Raise, seconds: int) -> Outcome:
    before = boards[0].stands_at
    await _raise_for(min(WARM_UP_SECONDS, seconds), raise_one)
    first = before + 1 + min(WARM_UP_SECONDS, seconds) * PER_SECOND
    loads, worked, megabytes, began = _loads(boards), web.cpu_seconds, web.megabytes, time.perf_counter()
    due = await _raise_for(seconds, raise_one)
    took = time.perf_counter() - began
    outcome = {
        "list loads per second": (_loads(boards) - loads) / took,
        "cores of the web process": (web.cpu_seconds - worked) / took,
        "ms of CPU a list load": 1000 * (web.cpu_seconds - worked) / max(1, _loads(boards) - loads),
        "streams that came back": sum(each.comebacks for each in boards),
        "MB after warming up": megabytes,
        "MB at the end": web.megabytes,
    }
    await until(lambda: all(each.stands_at >= first + len(due) - 1 for each in boards), PATIENCE_SECONDS)
    # Positions have no gaps and nothing else changes: the n-th alert is the n-th position.
    told = [1000 * (max(each.told[first + number] for each in boards) - at) for number, at in enumerate(due)]
    shown = [1000 * (max(each.showed(first + number) for each in boards) - at) for number, at in enumerate(due)]
    for figure, values in ((TOLD, told), (SHOWN, shown)):
        outcome |= {f"{figure}, p50": percentile(values, 0.5), f"{figure}, p95": percentile(values, 0.95)}
    return outcome


async def _raise_for(seconds: int, raise_one: Raise) -> list[float]:
    """Raise alerts in an open loop; return when each was due."""
    begin = time.perf_counter()
    due = [begin + number / PER_SECOND for number in range(seconds * PER_SECOND)]
    for at in due:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        await raise_one()
    return due


def _loads(boards: Sequence[Board]) -> int:
    return sum(len(each.shown) for each in boards)


async def _raising(db: Database) -> Raise:
    """Return what raises one alert, as the worker does: another stay of the same wanted person."""
    keeper = WatchlistKeeper(Watchlist(), verifier_from(PUBLIC))
    reader = StayReader(keeper, packs.load(), DISTRICT)
    sequence = 0

    async def raise_one() -> None:
        nonlocal sequence
        sequence += 1
        event = arrival(token_of(0))
        record = Record(
            topic=topics.REGISTRATION_STAYS,
            partition=0,
            offset=sequence,
            key=str(event.stay_id),
            type=envelope.PERSON_ARRIVED,
            event_id=str(uuid.uuid4()),
            source="/anju/registration",
            epoch=1,
            sequence=sequence,
            timestamp=datetime.now(UTC),
            traceparent=None,
            value=event.model_dump_json(exclude_none=True).encode(),
        )
        async with db.transaction() as tx:
            await reader.handle(tx, [record])

    return raise_one


def _officer(web: Web, number: int) -> bytes:
    headers = web.provider.headers("duty_officer", "command-centre", f"officer {number}")
    return lines({**headers, "hx-request": "true", "accept": "text/html", "accept-language": "zh-CN"})
