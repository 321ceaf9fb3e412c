"""Work that is due every so often, done by one copy of a service only."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from chassis.data.db import Database, DatabaseBusy, DatabaseUnavailable, Exclusive

log = structlog.get_logger()

# How often the copy that runs the timers asks whether it still holds the lock.
CONFIRM_SECONDS = 1.0
# A copy that lost the database asks again after this long.
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Timer:
    """A piece of work, `every` so many seconds from the end of the last run, first at once. `run` gets the present.

    One copy runs it, but when that copy loses its connection another may start while the last run still ends: what it
    does must stand being done twice, as everything does that looks at states and opens its own transaction.
    """

    name: str
    every: float
    run: Callable[[datetime], Awaitable[None]]


class Timers:
    """The timers of one service. Any number of copies call `run`; the one that holds the service's lock works."""

    def __init__(self, db: Database, timers: Sequence[Timer]) -> None:
        self._db = db
        self._timers = timers

    async def run(self) -> None:
        """Run for ever; survives the loss of the database."""
        if not self._timers:
            return
        while True:
            try:
                async with self._db.exclusive("timers") as lock:
                    await self._work_while(lock)
            except (DatabaseUnavailable, DatabaseBusy):
                log.warning("timers-without-database")
            await asyncio.sleep(RETRY_SECONDS)

    async def _work_while(self, lock: Exclusive) -> None:
        running = [asyncio.create_task(_repeat(timer), name=f"timer {timer.name}") for timer in self._timers]
        try:
            while True:
                await asyncio.sleep(CONFIRM_SECONDS)
                await lock.confirm()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _repeat(timer: Timer) -> None:
    while True:
        try:
            await timer.run(datetime.now(UTC))
        except (DatabaseUnavailable, DatabaseBusy):
            log.warning("timer-without-database", timer=timer.name)
        except Exception as error:
            # One wrong row must not stop the other timers: it is tried again when the timer is next due.
            log.error("timer-failed", timer=timer.name, exc_info=error)
        await asyncio.sleep(timer.every)
