"""A terminal: sends a request with one idempotency key until it is answered, and keeps the journal of it."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.journal import Journal

# A terminal gives up on one try after this long and sends again with the same key.
TRY_SECONDS = 15.0
# A request that was not answered for so long is left: nobody knows what became of it.
GIVE_UP_SECONDS = 300.0
# The pause after a failed try doubles up to the second figure, and is drawn anew below it each time: terminals that all
# come back at once would keep down what they wait for.
PAUSE_SECONDS = (0.2, 8.0)
# So many requests are under way at most; what is meant beside them waits its turn, as people at a desk do.
DESKS = 24
# Answers that a terminal takes for "later": the service is too busy, restarts, or its clock is confused.
LATER = frozenset({401, 408, 425, 429})
# So many requests are sent twice at the same moment, or once more after their answer.
TWINS, REPEATS = 0.04, 0.04


@dataclass(frozen=True, slots=True)
class Call:
    """One POST as a terminal makes it, and the facts of it that the journal keeps."""

    what: str
    service: str
    path: str
    body: Mapping[str, Any]
    who: str
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Terminal:
    """Sends calls. `addresses` has every address of a service's web side, and may change at any time."""

    journal: Journal
    addresses: Mapping[str, list[str]]
    tokens: Mapping[str, str]
    http: httpx.AsyncClient
    dice: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0
    _desks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DESKS))

    async def ask(self, call: Call) -> dict[str, Any] | None:
        """Return the answer of a 2xx; None when it was refused, or never answered."""
        async with self._desks:
            return await self._ask(call)

    async def _ask(self, call: Call) -> dict[str, Any] | None:
        n, key = self.journal.number(), str(uuid.uuid4())
        self.journal.write(n, "intended", what=call.what, facts=dict(call.facts), key=key)
        began = time.monotonic()
        twice = self.dice.random() < TWINS
        tries = [self._until_answered(n, key, call) for _ in range(2 if twice else 1)]
        answers = [answer for answer in await asyncio.gather(*tries) if answer is not None]
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
        if self.dice.random() < REPEATS and answers:
            answers += [again for again in [await self._until_answered(n, key, call)] if again is not None]
        if not answers:
            self.journal.write(n, "unknown")
            self.counts["unknown"] += 1
            return None
        status, answer = answers[0]
        self.counts[f"{call.what} {status}"] += 1
        return answer if status < 300 else None

    async def _until_answered(self, n: int, key: str, call: Call) -> tuple[int, dict[str, Any]] | None:
        give_up = time.monotonic() + GIVE_UP_SECONDS
        headers = {"Authorization": f"Bearer {self.tokens[call.who]}", "Idempotency-Key": key}
        pause = PAUSE_SECONDS[0]
        while time.monotonic() < give_up:
            address = self.dice.choice(self.addresses[call.service])
            self.journal.write(n, "sent")
            self.counts["tries"] += 1
            try:
                response = await self.http.post(
                    address + call.path, json=dict(call.body), headers=headers, timeout=TRY_SECONDS
                )
                if response.status_code < 500 and response.status_code not in LATER:
                    answer = response.json()
                    self.journal.write(n, "answered", status=response.status_code, answer=_kept(answer))
                    return response.status_code, answer
                self.counts[f"later {response.status_code}"] += 1
            except (httpx.HTTPError, ValueError):
                self.counts["cut"] += 1
            await asyncio.sleep(pause * self.dice.uniform(0.5, 1.0))
            pause = min(pause * 2, PAUSE_SECONDS[1])
        return None


def _kept(answer: dict[str, Any]) -> dict[str, Any]:
    """What the journal keeps of an answer: all of a success, the code of a refusal."""
    if "type" not in answer:
        return answer
    return {"type": answer["type"], "errors": [each.get("code") for each in answer.get("errors", ())]}
