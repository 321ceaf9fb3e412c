"""The day's pace as boards and walls show it: reckoned now and then, not once for every board."""

import time
from datetime import timedelta

from chassis.data.db import Transaction
from services.alerts.use_cases.read_pace import Pace, read_pace

# Two hundred boards refresh with every alert; a median of a day does not move in ten seconds.
KEPT_SECONDS = 10.0


class KeptPace:
    """One process's latest answer."""

    def __init__(self) -> None:
        self._pace: Pace | None = None
        self._until = 0.0

    async def read(self, tx: Transaction) -> Pace:
        """Return the pace since the city's midnight, at most `KEPT_SECONDS` old."""
        if self._pace is None or time.monotonic() >= self._until:
            # Before the first await, so that boards that ask meanwhile take the old answer.
            self._until = time.monotonic() + KEPT_SECONDS
            self._pace = await read_pace(tx)
        return self._pace


def span(length: timedelta) -> str:
    """Return a duration as clocks show it: `1:58`, from an hour on `2:05:00`."""
    seconds = round(length.total_seconds())
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
