"""A running city in which people live: its desks, its administrator, and what its desks were told."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.parts import DemoCity
from tests.people import People
from tests.system import journal
from tests.system.administrator import SECONDS, Administrator
from tests.system.desks import Desks
from tests.waiting import until

Pair = tuple[uuid.UUID, uuid.UUID]


@dataclass
class Town:
    """A city. `killed` are processes that a test has ended; no other may have begun anew."""

    city: DemoCity
    http: httpx.AsyncClient
    premises_id: str = ""
    people: People = field(default_factory=lambda: People(seed=uuid.uuid4().int))
    wanted: set[Pair] = field(default_factory=set)
    stays: list[str] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)

    @property
    def desks(self) -> Desks:
        """Every desk."""
        return Desks(self.city.data_dir, self.city.status()["services"])

    @property
    def administrator(self) -> Administrator:
        """Who mends it."""
        return Administrator(self.city)

    async def live(self) -> None:
        """Let a while pass: two guests come, one of them wanted, an earlier one leaves, an inspector finds a hazard."""
        persons = [self.people.person() for _ in range(2)]
        notice_id = await self.desks.notice(self.http, persons[0]["document"])
        told = [await self.arrive(person) for person in persons]
        self.wanted.add((uuid.UUID(notice_id), uuid.UUID(told[0])))
        await self.all_raised()
        await self._post("registration", f"stays/{told[1]}/departure", {"departed_at": now()}, "clerk")
        await self.inspect()

    async def arrive(self, person: dict[str, Any] | None = None) -> str:
        """Register a guest."""
        body = self.desks.arrival(person or self.people.person(), self.premises_id)
        self.stays.append((await self.desks.arrive(self.http, body))["stay_id"])
        return self.stays[-1]

    async def inspect(self) -> None:
        """Inspect the premises: the exits are blocked."""
        body = {"checklist_version": "1", "entry_basis": "consent", "outcome": "done", "inspected_at": now()}
        items = [{"item": "fire_exits", "result": "fail", "severity": "imminent"}]
        await self._post("housing", f"premises/{self.premises_id}/inspections", {**body, "items": items}, "inspector")

    async def _post(self, service: str, path: str, body: dict[str, Any], role: str) -> None:
        headers = self.desks.headers(role, "station-01")
        answer = await self.http.post(f"{self.desks.services[service]}/api/v1/{path}", json=body, headers=headers)
        assert answer.is_success, answer.text

    async def all_raised(self) -> None:
        """Wait until everybody wanted has an alert; there is never a second one."""

        async def raised() -> bool:
            return self.wanted <= set(await self.alerts())

        await until(raised, SECONDS)
        assert max((await self.alerts()).values(), default=1) == 1

    async def alerts(self) -> Any:
        """Alerts of notices, counted by notice and stay."""
        return await journal.raised_alerts(self.city.status())

    async def settled(self) -> None:
        """Wait until everything that was told is where it belongs."""
        await self.all_raised()
        await self.city.ready(SECONDS)
        await self.administrator.at_rest()
        await self.administrator.all_states_agree()
        restarted = {each["name"] for each in self.city.status()["processes"] if each["restarts"]}
        assert restarted <= self.killed, "a process ended by itself"
        published = await journal.published_arrivals(self.city.status())
        assert {published[stay] for stay in await journal.stored_stays(self.city.status())} <= {0, 1}

    def lose(self, stays: set[str]) -> None:
        """Registration has lost these stays: nobody waits for them any more."""
        self.stays = [stay for stay in self.stays if stay not in stays]


def now() -> str:
    """The time as a form sends it."""
    return datetime.now(UTC).isoformat()
