"""Owns the city's beginning: notices, premises, first residents; what was done before a restart is not done again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

import structlog

from anju.city import guest, papers
from anju.city.life import APPROVER, AUTHOR, CLERKS, FRONT_DESK, INSPECTORS
from anju.city.memory import Memory, Stay
from anju.city.places import Place
from anju.city.plan import Home, Plan
from anju.city.terminals import Official, Refused, Terminals

log = structlog.get_logger()

# Two cores carry Kafka, PostgreSQL and nine processes beside: this leaves one of them idle, and takes three minutes.
PER_SECOND = 20.0
AT_ONCE = 4
# Of the first residents, as shares of their number: whom a notice names; the board has something from the first minute.
SOUGHT = (0.02, 0.1, 0.25, 0.45, 0.7, 0.95)
# How many operators have signed their responsibility letter.
SIGNED = 0.9
LETTERS = "/api/v1/premises/{premises_id}/letters"
# Notices that wait for a visitor's approval.
PROPOSALS = 3


class Founding:
    """The beginning of one city."""

    def __init__(self, plan: Plan, memory: Memory, terminals: Terminals, residents: int, founded_at: datetime) -> None:
        self._plan, self._memory, self._terminals = plan, memory, terminals
        self._residents, self._founded_at = residents, founded_at

    async def run(self) -> None:
        """Do what is still to be done."""
        if self._memory.fact("founded") is not None:
            return
        sought = sorted({self._adult(round(share * self._residents)) for share in SOUGHT})
        await self._each([*sought, None], self._notice)
        await self._each(range(self._residents, self._residents + PROPOSALS), self._proposal)
        await self._each(
            [place for place in self._plan.places if place.number not in self._memory.premises], self._place
        )
        living = {stay.person for stay in self._memory.stays.values()}
        homes = [home for home in self._plan.homes(self._residents) if home.person not in living]
        await self._each(homes, self._resident)
        with self._memory.together():
            self._memory.settled("next-person", self._residents + PROPOSALS)
            self._memory.keep("founded", True)
        log.info("city-founded", count=len(self._memory.stays), found=len(self._memory.premises))

    async def _notice(self, person: int | None) -> None:
        """A notice on a first resident, or on the test guest."""
        who = "guest" if person is None else str(person)
        body = guest.notice(self._founded_at) if person is None else self._notice_body(person)
        proposed = await self._post(AUTHOR, "alerts", "/api/v1/notices", body, f"notice-{who}")
        path = f"/api/v1/notices/{proposed['notice_id']}/approval"
        await self._post(APPROVER, "alerts", path, {"content_hash": proposed["content_hash"]}, f"approval-{who}")

    async def _proposal(self, person: int) -> None:
        await self._post(AUTHOR, "alerts", "/api/v1/notices", self._notice_body(person), f"proposal-{person}")

    async def _place(self, place: Place) -> None:
        inspector = Official("inspector", place.station, INSPECTORS[place.station])
        answer = await self._post(inspector, "housing", "/api/v1/premises", place.body(), f"place-{place.number}")
        signs = random.Random(f"{self._plan.seed}/letter/{place.number}").random() < SIGNED
        if signs and await self._terminals.offers("housing", LETTERS):
            path = LETTERS.format(premises_id=answer["premises_id"])
            await self._post(inspector, "housing", path, {}, f"letter-{place.number}")
        self._memory.registered(place.number, answer["premises_id"])

    async def _resident(self, home: Home) -> None:
        place, dice = home.place, random.Random(f"{self._plan.seed}/resident/{home.person}")
        premises_id = self._memory.premises[place.number]
        population = self._plan.population
        body = papers.arrival(population, home.person, place, home.room, premises_id, self._founded_at, dice)
        clerk = FRONT_DESK if place.operator_unit else Official("clerk", place.station, CLERKS[place.station])
        answer = await self._post(clerk, "registration", "/api/v1/arrivals", body, f"resident-{home.person}")
        to_verify = papers.is_to_verify(body, population, home.person)
        self._memory.arrived(Stay(answer["stay_id"], home.person, place.number, home.room, None, to_verify))

    def _notice_body(self, person: int) -> dict[str, Any]:
        dice = random.Random(f"{self._plan.seed}/notice/{person}")
        return papers.notice(self._plan.population.person(person), self._founded_at, dice)

    def _adult(self, person: int) -> int:
        """This resident, or the next who is grown up."""
        return person if self._plan.is_adult(person) else person + 1

    async def _post(self, who: Official, service: str, path: str, body: dict[str, Any], word: str) -> dict[str, Any]:
        return await self._terminals.post(who, service, path, body, f"{self._plan.name}-{word}")

    async def _each(self, things: Iterable[Any], work: Callable[[Any], Awaitable[None]]) -> None:
        """Do the work for each, few at once and at the founding's pace; a refusal is logged and the rest goes on."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(thing: Any) -> None:
            async with gate:
                began = time.monotonic()
                try:
                    await work(thing)
                except Refused as refused:
                    log.warning("founding-refused", status=refused.status, code=refused.code)
                await asyncio.sleep(max(0.0, AT_ONCE / PER_SECOND - (time.monotonic() - began)))

        async with asyncio.TaskGroup() as tasks:
            for thing in things:
                tasks.create_task(one(thing))
