"""Arrivals a second through one web process, and transactions a second of pgbench with the same statements.

Both run on databases of one server that waits for its disk, with the same premises, one after the other in every round.
Nothing else runs: no relay, no broker's consumers.
"""

import asyncio
import json
import re
import resource
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from anju.local.binaries import postgres_install
from benchmarks.rounds import Goal, Measured, Outcome, Plan, figure_of, interleaved, percentile
from benchmarks.web import ROOT, settings, web
from benchmarks.wire import Connection, lines
from benchmarks.write_path.capture import Script, captured, script
from chassis.data.db import Database
from chassis.data.migrations import migrate
from services.registration import wiring
from services.registration.domain.premises import Premises, Room
from services.registration.settings import Settings
from services.registration.use_cases.follow_premises import follow_premises
from services.registration.use_cases.load_units import load_units
from tests.people import People
from tests.provider import TokenProvider

CONNECTIONS = (16, 64)
SECONDS = 12
WARM_UP_SECONDS = 3
# A district's hotels in the evening: an arrival holds its premises' headcount until it is committed.
PREMISES = 200
# More than one process can register in a round.
PEOPLE = 20_000
# A terminal told to come again later; here sooner, since only the rate of 201 is measured.
RETRY_SECONDS = 0.2
# Of web process or pgbench and of the database together: it stays comparable on a machine that others use too.
PER_CPU_SECOND = "arrivals per CPU second, with the database"
OTHERS = (PER_CPU_SECOND, "ms to an answer, p50", "answers 503 per second", "ms of CPU an arrival, web process")
TPS = re.compile(r"tps = ([0-9.]+)")


async def measure(plan: Plan) -> list[Measured]:
    """Measure arrivals a second."""
    template = await _prepared(plan)
    statements = await _script(await plan.parts.new_database(template))
    found = []
    for connections in CONNECTIONS:
        contestants: dict[str, Callable[[], Awaitable[Outcome]]] = {
            "ours": lambda connections=connections: _ours(plan, template, connections),  # type: ignore[misc]
            "pgbench": lambda connections=connections: _pgbench(plan, template, connections, statements),  # type: ignore[misc]
        }
        rounds = await interleaved(plan, contestants)
        rate = f"arrivals per second, {connections} connections"
        found.append(figure_of(rounds, rate, "ours", {"pgbench": Goal(0.3)}))
        found += [figure_of(rounds, each, "ours") for each in OTHERS]
    return found


def premises_id(number: int) -> UUID:
    """The id of the premises with a number, from 1 on, as the script makes it too."""
    return UUID(int=number)


async def _prepared(plan: Plan) -> str:
    """Make a database with units and premises, and nobody registered; return its name."""
    dsn = await plan.parts.new_database()
    await migrate(dsn, "registration")
    db = Database(dsn, service="registration")
    async with db.transaction() as tx:
        await load_units(tx, wiring.read_units_file(ROOT / "deploy" / "units.yaml"))
    rooms = tuple(Room(f"{number:04d}", "bedroom", 2) for number in range(801, 821))
    async with db.transaction() as tx:
        for number in range(1, PREMISES + 1):
            one = Premises(premises_id(number), "hotel", "open", f"柳堤街道 {number} 号", "330199001001", None, rooms)
            await follow_premises(tx, [(one, (1, 1))])
    await db.dispose()
    return dsn.rsplit("/", 1)[1]


async def _script(dsn: str) -> Script:
    provider, people = TokenProvider(), People(seed=uuid.uuid4().int)
    named = settings("registration", dsn, provider.issuer)
    parts = wiring.web(Settings.model_validate(named))
    provider.serve(parts)
    _with_the_drivers_own, first, second = [
        await captured(parts, provider, _body(people.person(), at)) for at in (1, 1, 2)
    ]
    assert parts.db is not None
    await parts.db.dispose()
    return script(first, second, premises_id(1), PREMISES)


def _body(person: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        "person": dict(person),
        "premises_id": str(premises_id(number)),
        "room": "0801",
        "kind": "hotel_guest",
        "arrived_at": datetime.now(UTC).isoformat(),
        "legal_basis": "hotel_register",
    }


async def _ours(plan: Plan, template: str, connections: int) -> Outcome:
    people = People(seed=uuid.uuid4().int)
    bodies = [json.dumps(_body(people.person(), 1 + n % PREMISES)).encode() for n in range(plan.count(PEOPLE))]
    dsn = await plan.parts.new_database(template)
    async with web("registration", dsn, plan.parts.folder) as process, _open(process.port, connections) as lanes:
        bearer = process.provider.headers("clerk", "station-01")["authorization"]
        taken: list[float] = []
        refused: list[float] = []
        rest = iter(bodies)

        async def desk(lane: Connection, until: float) -> None:
            while time.perf_counter() < until and (body := next(rest, None)) is not None:
                key = {"idempotency-key": uuid.uuid4().hex, "authorization": bearer, "content-type": "application/json"}
                began = time.perf_counter()
                status, answer = await lane.request("POST", "/api/v1/arrivals", lines(key), body)
                if status == 503:
                    refused.append(began)
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if status != 201:
                    raise RuntimeError(f"an arrival was answered {status}: {answer[:300]!r}")
                taken.append(time.perf_counter() - began)

        async def together(seconds: float) -> float:
            began = time.perf_counter()
            await asyncio.gather(*(desk(lane, began + seconds) for lane in lanes))
            return time.perf_counter() - began

        await together(WARM_UP_SECONDS)
        taken.clear()
        refused.clear()
        worked, database = process.cpu_seconds, plan.parts.database_cpu_seconds()
        seconds = await together(plan.count(SECONDS))
        if next(rest, None) is None:
            raise RuntimeError("nobody was left to arrive: PEOPLE is too small for this machine")
        return {
            f"arrivals per second, {connections} connections": len(taken) / seconds,
            "ms to an answer, p50": 1000 * percentile(taken, 0.5),
            "answers 503 per second": len(refused) / seconds,
            "ms of CPU an arrival, web process": 1000 * (process.cpu_seconds - worked) / len(taken),
            PER_CPU_SECOND: len(taken) / (process.cpu_seconds - worked + plan.parts.database_cpu_seconds() - database),
        }


@asynccontextmanager
async def _open(port: int, connections: int) -> AsyncIterator[list[Connection]]:
    lanes = [await Connection.open(port) for _ in range(connections)]
    yield lanes
    for each in lanes:
        each.close()


async def _pgbench(plan: Plan, template: str, connections: int, statements: Script) -> Outcome:
    dsn = urlsplit(await plan.parts.new_database(template))
    path = plan.parts.folder / "arrival.sql"
    path.write_text(statements.text)
    command = [str(Path(postgres_install()) / "bin" / "pgbench"), "--no-vacuum", "--protocol=prepared", "--jobs=2"]
    command += [f"--client={connections}", f"--time={plan.count(SECONDS)}", f"--file={path}"]
    command += [f"--define={name}={text}" for name, text in statements.variables.items()]
    command += [f"--host={dsn.hostname}", f"--port={dsn.port}", f"--username={dsn.username}", dsn.path.lstrip("/")]
    worked, database = _children_cpu_seconds(), plan.parts.database_cpu_seconds()
    running = await asyncio.create_subprocess_exec(
        *command,
        env={"PGPASSWORD": dsn.password or "", "TZ": "UTC"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = (text.decode() for text in await running.communicate())
    rate = TPS.search(out)
    failed = "number of failed transactions: 0 " not in out
    if running.returncode or rate is None or failed:
        raise RuntimeError(f"pgbench ended with {running.returncode}:\n{out[-1000:]}\n{err[-2000:]}")
    worked = _children_cpu_seconds() - worked + plan.parts.database_cpu_seconds() - database
    return {
        f"arrivals per second, {connections} connections": float(rate[1]),
        PER_CPU_SECOND: float(rate[1]) * plan.count(SECONDS) / worked,
    }


def _children_cpu_seconds() -> float:
    """What the programs have worked that this process started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
