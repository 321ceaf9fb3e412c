"""What a board shows: lets wanted people arrive and exits be found blocked, through the API as desks do."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.people import People
from tests.system.desks import Desks
from tests.waiting import until


class Arrivals:
    """Each call raises one alert on the board."""

    def __init__(self, desks: Desks, http: httpx.AsyncClient, premises_id: str) -> None:
        self._desks, self._http, self._premises_id = desks, http, premises_id
        self._people = People(random.randrange(10**9))

    async def wanted(self) -> dict[str, Any]:
        """Let somebody arrive on whom a notice is active; return the alert."""
        person = self._people.person()
        await self._desks.notice(self._http, person["document"])
        stay = await self._desks.arrive(self._http, self._desks.arrival(person, self._premises_id))
        found: list[dict[str, Any]] = []

        async def is_raised() -> bool:
            found[:] = [each for each in await self._desks.alerts(self._http) if each["stay_id"] == stay["stay_id"]]
            return bool(found)

        await until(is_raised)
        return found[0] | {"person": person}

    async def blocked(self) -> dict[str, Any]:
        """Let somebody move in, and an inspector find the exit blocked; return the alert."""
        premises_id = await self._desks.premises(self._http)
        await self._desks.arrive(self._http, self._desks.arrival(self._people.person(), premises_id))
        visit = {
            "checklist_version": "1",
            "entry_basis": "consent",
            "outcome": "done",
            "inspected_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
            "items": [{"item": "fire_exits", "result": "fail"}],
        }
        address = f"{self._desks.services['housing']}/api/v1/premises/{premises_id}/inspections"
        answer = await self._http.post(address, json=visit, headers=self._desks.headers("inspector", "station-01"))
        assert answer.status_code == 201, answer.text
        found: list[dict[str, Any]] = []

        async def is_raised() -> bool:
            found[:] = [each for each in await self._desks.alerts(self._http) if each["premises_id"] == premises_id]
            return bool(found)

        await until(is_raised)
        return found[0]
