"""A department's readers die again and again while events come: each delivered, in order, repeats marked by `ce_id`.

Two `anju subscribe fire` at once, one that forwards to a receiver that refuses now and then and one that prints to a
file, are ended by kill -9; a reader of the same feed over HTTP has its connection cut. The events are the city's own:
arrivals at premises with a blocked exit, as terminals send them, and the clearing of exits.
"""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from anju.city.people import People
from tests.parts import DemoCity
from tests.system.desks import Desks
from tests.waiting import until

FULL = os.environ.get("ANJU_SHOWS") == "full"
EVENTS, KILLS, PLACES = (1000, 20, 40) if FULL else (100, 4, 6)
SEED = 20261125
TERMINALS = 8
# Of the events that the receiver is sent, one in so many is answered 503 and must be sent again.
REFUSED = 20
# How long a reader may take to come to its next kill, and after the last one to the end.
CATCH_UP_SECONDS = 600.0 if FULL else 180.0

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800 if FULL else 420)]


@dataclass
class Receiver:
    """A department's own system: takes events by POST, and refuses one now and then."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; a sender that dies in the middle of one has sent nothing."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            line = json.loads(await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0])))
            status = "503 Busy" if self.dice.randrange(REFUSED) == 0 else "204 Taken"
            if status.startswith("204"):
                self.lines.append(line)
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@dataclass
class Subscriber:
    """`anju subscribe fire` with a place of its own; `taken` are the lines that came so far, over all of its lives."""

    city: DemoCity
    folder: Path
    more: list[str]
    taken: Callable[[], list[dict[str, Any]]]
    dice: random.Random

    @property
    def printed(self) -> Path:
        """The file that it prints to."""
        return self.folder / "printed"

    async def live(self) -> asyncio.subprocess.Process:
        """Start it; what it prints is appended to what its former lives printed."""
        words = ["-m", "anju", "subscribe", "fire", "--data-dir", str(self.city.data_dir)]
        with self.printed.open("ab") as file:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, *words, "--place", str(self.folder / "place"), *self.more), stdout=file
            )

    def ids(self) -> set[str]:
        """The events that came."""
        return {line["ce_id"] for line in self.taken()}

    async def die_and_go_on(self, sent: Callable[[], bool], all_of_them: Callable[[], set[str]]) -> None:
        """Be killed KILLS times, each time when so many events have come, and then live until all have."""
        for count in sorted(self.dice.sample(range(1, EVENTS), KILLS)):
            process = await self.live()
            await until(lambda count=count: len(self.ids()) >= count, CATCH_UP_SECONDS)  # type: ignore[misc]
            await asyncio.sleep(self.dice.uniform(0, 0.05))  # anywhere between two events, and within one
            assert process.returncode is None
            process.kill()
            await process.wait()
        process = await self.live()
        try:
            await until(lambda: sent() and self.ids() >= all_of_them(), CATCH_UP_SECONDS)
        finally:
            process.kill()
            await process.wait()


@dataclass
class Feed:
    """The feed over HTTP, whose connection is cut; it says in Last-Event-ID what it has seen."""

    desks: Desks
    dice: random.Random
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def read(self, sent: Callable[[], bool], all_of_them: Callable[[], set[str]]) -> None:
        """Be cut KILLS times, each time after so many events, and then read until all have come."""
        cuts = sorted(self.dice.sample(range(1, EVENTS), KILLS))
        seen: str | None = None
        async with httpx.AsyncClient(timeout=30) as http:
            while not (sent() and len(self.lines) >= len(all_of_them())):
                until_count = cuts.pop(0) if cuts else sys.maxsize
                headers = self.desks.headers("department_officer", "fire") | ({"Last-Event-ID": seen} if seen else {})
                url = f"{self.desks.services['alerts']}/api/v1/departments/fire/events"
                async with http.stream("GET", url, headers=headers) as answer:
                    assert answer.status_code == 200
                    position = ""
                    async for line in answer.aiter_lines():
                        name, _colon, value = line.partition(": ")
                        if name == "id":
                            position = value
                        elif name == "data" and "ce_id" in value:
                            self.lines.append(json.loads(value))
                        elif not line and position:
                            seen = position
                            if len(self.lines) >= until_count:
                                break
                        if sent() and len(self.lines) >= len(all_of_them()):
                            break


@dataclass
class Load:
    """Terminals and inspectors that make events until there are enough; `events` are those in the order of alerts."""

    desks: Desks
    http: httpx.AsyncClient
    dsn: str
    events: list[tuple[str, str]] = field(default_factory=list)
    ended: bool = False

    async def make(self) -> None:
        """Block exits, let people arrive, clear half of the exits."""
        connection = await asyncpg.connect(self.dsn)
        try:
            before = len(await self._told(connection))
            people = People(SEED)
            places = [await self.desks.premises(self.http) for _n in range(PLACES)]
            hazards = [await self._block(place) for place in places]
            dice = random.Random(SEED)
            guests: Counter[str] = Counter()
            while len(await self._told(connection)) < before + EVENTS - PLACES // 2:
                chosen = [dice.choice(places) for _n in range(TERMINALS)]
                bodies = [self.desks.arrival(people.person(), place) for place in chosen]
                await asyncio.gather(*(self.desks.arrive(self.http, body) for body in bodies))
                guests.update(chosen)
            cleared = places[: PLACES // 2]
            await asyncio.gather(*(self._clear(hazard) for hazard in hazards[: PLACES // 2]))
            last = {place: "cleared" if place in cleared else guests[place] for place in places}
            await until(lambda: self._told_last(connection, last), CATCH_UP_SECONDS)
            self.events = await self._told(connection)
            self.ended = True
        finally:
            await connection.close()

    async def _told(self, connection: Any) -> list[tuple[str, str]]:
        query = "SELECT event_id, case_id FROM department_events WHERE department = 'fire' ORDER BY position"
        return [(str(row["event_id"]), str(row["case_id"])) for row in await connection.fetch(query)]

    async def _told_last(self, connection: Any, expected: dict[str, str | int]) -> bool:
        """Whether the last event of each premises is its end, or how many live there: then no more will come."""
        query = (
            "SELECT DISTINCT ON (case_id) value->>'premises_id' AS place, value->>'state' AS state,"
            " (value->>'headcount')::int AS headcount FROM department_events"
            " WHERE value->>'premises_id' = ANY($1) ORDER BY case_id, position DESC"
        )
        rows = await connection.fetch(query, list(expected))
        return expected == {row["place"]: "cleared" if row["state"] == "cleared" else row["headcount"] for row in rows}

    async def _block(self, premises_id: str) -> str:
        visit = {
            "checklist_version": "1",
            "entry_basis": "consent",
            "outcome": "done",
            "inspected_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
            "items": [{"item": "fire_exits", "result": "fail"}],
        }
        found = await self.http.post(
            f"{self.desks.services['housing']}/api/v1/premises/{premises_id}/inspections",
            json=visit,
            headers=self.desks.headers("inspector", "station-01"),
        )
        assert found.status_code == 201, found.text
        hazard_id: str = found.json()["hazards"][0]["hazard_id"]
        return hazard_id

    async def _clear(self, hazard_id: str) -> None:
        cleared = await self.http.post(
            f"{self.desks.services['housing']}/api/v1/hazards/{hazard_id}/clearances",
            json={"note": "通道已清理"},
            headers=self.desks.headers("inspector", "station-01"),
        )
        assert cleared.status_code == 201, cleared.text


async def test_killed_and_cut_they_lose_nothing(
    city: DemoCity, desks: Desks, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Compared event by event with what alerts says that it told."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for name in ("forwarding", "printing"):
        (tmp_path / name).mkdir()
    printed = tmp_path / "printing" / "printed"
    forwarding = Subscriber(
        city,
        tmp_path / "forwarding",
        ["--forward", f"http://127.0.0.1:{port}/events"],
        lambda: receiver.lines,
        random.Random(SEED + 1),
    )
    printing = Subscriber(city, tmp_path / "printing", [], lambda: lines_of(printed), random.Random(SEED + 2))
    feed = Feed(desks, random.Random(SEED + 3))
    load = Load(desks, http, city.status()["databases"]["alerts"])

    def sent() -> bool:
        return load.ended

    def all_of_them() -> set[str]:
        return {event_id for event_id, _case in load.events}

    async with server, asyncio.TaskGroup() as parts:
        parts.create_task(load.make())
        parts.create_task(forwarding.die_and_go_on(sent, all_of_them))
        parts.create_task(printing.die_and_go_on(sent, all_of_them))
        parts.create_task(feed.read(sent, all_of_them))
    assert len(load.events) >= EVENTS
    for reader in (forwarding, printing):
        check(reader.taken(), load.events, repeats=KILLS)
    # The feed's place is told by the reader, so nothing comes twice, and all of it in one order.
    assert [line["ce_id"] for line in feed.lines] == [event_id for event_id, _case in load.events]
    assert (tmp_path / "forwarding" / "printed").read_text() == ""
    told_by_both = {line["ce_id"]: line["data"] for line in printing.taken()}
    assert {line["ce_id"]: line["data"] for line in feed.lines} == told_by_both


def lines_of(printed: Path) -> list[dict[str, Any]]:
    """What was printed; a line that is being written just now is none yet."""
    text = printed.read_text() if printed.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def check(taken: list[dict[str, Any]], told: list[tuple[str, str]], repeats: int) -> None:
    """Every event, a case's in their order; what came again has its ce_id and is the same, once per kill at most."""
    assert {line["ce_id"] for line in taken} == {event_id for event_id, _case in told}
    by_id: dict[str, str] = {}
    for line in taken:
        assert by_id.setdefault(line["ce_id"], json.dumps(line, sort_keys=True)) == json.dumps(line, sort_keys=True)
    assert len(taken) - len(by_id) <= repeats
    assert max(Counter(line["ce_id"] for line in taken).values()) <= repeats + 1
    first_of_each = dict.fromkeys((line["ce_id"], line["data"]["case_id"]) for line in taken)
    for case in {case for _event, case in told}:
        assert [event for event, its in first_of_each if its == case] == [event for event, its in told if its == case]
