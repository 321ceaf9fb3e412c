"""Owns one run of the simulated city: its founding, then its life at a pace, and its officers beside."""

import asyncio
import os
import time
from datetime import UTC, datetime
from functools import partial

import httpx
import structlog

from anju.city import rhythm
from anju.city.founding import Founding
from anju.city.life import Life
from anju.city.memory import Memory
from anju.city.officers import Officers
from anju.city.plan import of_seed
from anju.city.settings import Settings
from anju.city.terminals import Terminals
from anju.portal.tokens import load_key
from policy import packs

log = structlog.get_logger()

MEMORY, RUNNING = "memory.sqlite3", "running"
# After a pause of the services the city does not hurry to make up for it by more than this.
MOST_BEHIND_SECONDS = 1.0
DISTRICT = "330199"


async def run(settings: Settings) -> None:
    """Found the city or go on with it, until cancelled."""
    clock = partial(datetime.now, UTC)
    memory = Memory(settings.directory / MEMORY)
    try:
        founded_at = datetime.fromisoformat(memory.settled("founded-at", clock().isoformat()))
        seed = int(memory.settled("seed", settings.seed))
        if seed != settings.seed:
            log.warning("seed-kept", expected=settings.seed, found=seed)
        rules = packs.load().on(rhythm.today(clock()), DISTRICT)
        plan = of_seed(seed, f"city-{seed}-{founded_at.timestamp():.0f}", settings.premises, rules)
        async with httpx.AsyncClient() as http:
            terminals = Terminals(http, settings.services, load_key(settings.key_file), settings.issuer)
            say_running(settings)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(Officers(seed, terminals, clock).run())
                await Founding(plan, memory, terminals, settings.residents, founded_at).run()
                life = Life(plan, memory, terminals, settings.residents)
                tasks.create_task(_live(life, settings.rate))
    finally:
        memory.close()


def say_running(settings: Settings) -> None:
    """Leave a note with the process's id, which the launcher takes for being at work."""
    (settings.directory / RUNNING).write_text(str(os.getpid()))


async def _live(life: Life, rate: float) -> None:
    """One step after another, at the rate that the hour asks for; for ever."""
    due = time.monotonic()
    while True:
        now = datetime.now(UTC)
        await life.advance(now)
        due = max(due + 1 / (rate * rhythm.pace(now)), time.monotonic() - MOST_BEHIND_SECONDS)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
