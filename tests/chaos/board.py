"""A board at the command centre: reads the alert stream, resumes where it was cut, and keeps the journal of it."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from tests.chaos.journal import Journal

# Longer without a heartbeat (every 10 s), and a stream is taken for dead, as a browser's page does.
SILENCE_SECONDS = 25.0
RETRY_SECONDS = 0.5


@dataclass(slots=True)
class Board:
    """Reads from the first alert of the city on, at any of the addresses."""

    journal: Journal
    addresses: Sequence[str]
    token: str
    http: httpx.AsyncClient
    dice: random.Random
    last: str = "0"
    resumed: int = 0

    async def run(self) -> None:
        """Read for ever."""
        n = self.journal.number()
        self.journal.write(n, "intended", what="stream", facts={})
        while True:
            headers = {"Authorization": f"Bearer {self.token}", "Last-Event-ID": self.last}
            address = f"{self.dice.choice(self.addresses)}/api/v1/alerts/stream"
            try:
                async with self.http.stream("GET", address, headers=headers, timeout=SILENCE_SECONDS) as answer:
                    answer.raise_for_status()
                    await self._read(n, answer)
            except httpx.HTTPError:
                await asyncio.sleep(RETRY_SECONDS)
            self.resumed += 1

    async def _read(self, n: int, answer: httpx.Response) -> None:
        lines: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                lines[name] = value.strip()
                continue
            if "id" in lines and "data" in lines:
                self.last = lines["id"]
                event = json.loads(lines["data"])
                self.journal.write(n, "told", event=lines.get("event", ""), position=int(self.last), **event)
            lines = {}
