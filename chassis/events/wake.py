"""How a commit wakes the relay, which runs in another process: one NOTIFY after it, for many commits at once."""

import asyncio
from typing import TYPE_CHECKING

from chassis.data.transaction import driver_of

if TYPE_CHECKING:
    from chassis.data.db import Database

CHANNEL = "anju_outbox"


class Wake:
    """Call it after a commit: it returns at once and notifies soon.

    NOTIFY inside the business transaction would make all commits of the database queue on one lock (PostgreSQL holds
    it from the first NOTIFY's commit to its end); here it is a transaction of its own, and commits that happen while
    one is under way share the next. The relay polls too, so a lost notification costs time and nothing else.
    """

    def __init__(self, db: "Database") -> None:
        self._db = db
        self._again = False
        self._task: asyncio.Task[None] | None = None

    def __call__(self) -> None:
        """Notify, unless a notification that will be sent later says it too."""
        self._again = True
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._notify(), name="wake relay")
            self._task.add_done_callback(self._done)

    async def _notify(self) -> None:
        async with self._db.connection() as connection:
            driver = driver_of(connection)
            while self._again:
                self._again = False
                await driver.execute(f"NOTIFY {CHANNEL}")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        # A full pool or a lost database: the relay's poll finds the rows.
        if not task.cancelled() and task.exception() is None and self._again:
            self()
