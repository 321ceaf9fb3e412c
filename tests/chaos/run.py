"""One run: a city comes up, is loaded and broken, is left alone, and is checked."""

import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.chaos.board import Board
from tests.chaos.checker.checking import check
from tests.chaos.checker.collect import collect
from tests.chaos.checker.evidence import Evidence
from tests.chaos.checker.findings import Finding
from tests.chaos.city import ChaosCity
from tests.chaos.faults import Faults, draw
from tests.chaos.journal import Journal
from tests.chaos.load import AUTHORS, Load
from tests.chaos.report import Report
from tests.chaos.terminal import Terminal
from tests.system.desks import Desks

# After the last fault all has to be well again within this.
WELL_SECONDS = 180.0
# What is found for so long without a change is no work that is still under way, it is lost.
SETTLE_SECONDS = 60.0
# The load goes on before the first fault and after the last.
CALM_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to be."""

    faults: int
    kinds: Sequence[str]
    seed: int
    minutes: float
    per_second: float
    port_base: int
    directory: Path


async def run(wish: Plan, say: Callable[[str], None]) -> tuple[Report, list[Finding], Evidence]:
    """Do it all; the city is gone afterwards."""
    city = ChaosCity(wish.directory, wish.port_base)
    task = asyncio.current_task()
    assert task is not None
    # What was mounted and started goes, however the run ends.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        say(f"seed {wish.seed}: a city in {wish.directory}")
        await city.start()
        return await _broken(city, wish, say)
    finally:
        await city.stop()


async def _broken(city: ChaosCity, wish: Plan, say: Callable[[str], None]) -> tuple[Report, list[Finding], Evidence]:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=20)
    async with httpx.AsyncClient(timeout=10.0, limits=limits) as http:
        with Journal(city.directory / "journal.jsonl") as journal:
            terminal = Terminal(
                journal, city.addresses, await _tokens(city), http, random.Random(f"{wish.seed}/terminal")
            )
            load = Load(terminal, wish.seed, per_second=wish.per_second)
            faults = Faults(city, draw(wish.faults, wish.seed, wish.minutes * 60, wish.kinds), say)
            board = Board(
                journal, city.addresses["alerts"], terminal.tokens["officer"], http, random.Random(f"{wish.seed}/board")
            )
            watching = asyncio.create_task(board.run())
            report = Report(began=time.time(), seed=wish.seed)
            await load.prepare()
            stop = asyncio.Event()
            loading = asyncio.create_task(load.run(stop))
            await asyncio.sleep(CALM_SECONDS if wish.faults else wish.minutes * 60)
            await faults.run()
            await asyncio.sleep(CALM_SECONDS)
            say("the last fault has passed")
            never_well = await _well(city, report)
            stop.set()
            await loading
            report.note(city, faults, terminal)
            evidence, findings = await _settled(city, journal.path, report, say)
            watching.cancel()
            report.stream_resumed = board.resumed
            findings += never_well
    report.judge(evidence, findings)
    return report, findings, evidence


async def _well(city: ChaosCity, report: Report) -> list[Finding]:
    """Wait until all is ready again; a city that does not heal by itself is a finding like any other."""
    try:
        report.well_seconds = await city.ready(WELL_SECONDS)
    except TimeoutError:
        return [Finding("lost", "the city", f"it was not ready {WELL_SECONDS:.0f} s after the last fault")]
    return []


async def _tokens(city: ChaosCity) -> dict[str, str]:
    """A token of each person of the load."""
    desks = Desks(city.directory, {})
    people: dict[str, tuple[str, str | None, str | None]] = {
        "clerk": ("clerk", "station-01", None),
        "inspector": ("inspector", "station-01", None),
        "approver": ("notice_approver", None, None),
        "officer": ("duty_officer", None, None),
    }
    people |= {f"author-{n}": ("notice_author", None, f"author-{n}") for n in range(AUTHORS)}
    return {name: await asyncio.to_thread(desks.token, *person) for name, person in people.items()}


async def _settled(
    city: ChaosCity, journal: Path, report: Report, say: Callable[[str], None]
) -> tuple[Evidence, list[Finding]]:
    """Check until nothing is found, or for so long; what is found then is a fault of the city."""
    began = changed = time.monotonic()
    former: list[Finding] = []
    while True:
        status = await city.status()
        (city.directory / "status.json").write_text(json.dumps(status))
        evidence = await collect(status, journal)
        findings = await asyncio.to_thread(_check, evidence)
        now = time.monotonic()
        report.settle_seconds = now - began
        say(f"checked after {now - began:.0f} s: {len(findings)} findings {_most(findings)}")
        if findings != former:
            former, changed = findings, now
        if not findings or now - changed > SETTLE_SECONDS:
            return evidence, findings
        await asyncio.sleep(3)


def _check(evidence: Evidence) -> list[Finding]:
    return list(check(evidence))


def _most(findings: list[Finding]) -> str:
    """Where most of them are."""
    places = Counter(f"{finding.kind} {finding.where}" for finding in findings)
    return ", ".join(f"{place} {count}" for place, count in places.most_common(4))
