"""What the load does: guests arrive and leave, entries are corrected, notices come and go, premises are inspected."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.chaos.terminal import Call, Terminal
from tests.people import People

# How often each thing is done, of a hundred.
WEIGHTS = {
    "arrival": 52, "departure": 18, "correction": 8, "notice": 6, "withdrawal": 2, "inspection": 6, "clearance": 3,
    "premises": 1, "acknowledgement": 4,
}  # fmt: skip
PREMISES_AT_START = 10
# Of so many hundred arrivals one is of a person that a notice names, or that one will name.
WANTED_SHARE = 0.12
# Of the inspection checklist, those that every kind of premises here is asked about.
ITEMS = ("fire_exits", "extinguishers", "smoke_alarms", "wiring", "gas", "e_bikes")
# Small ones, so that some get overcrowded and empty again.
ROOMS = {
    "rental": [("bedroom", 8.0), ("bedroom", 11.0)],
    "hotel": [("bedroom", 20.0)] * 6,
    "dormitory": [("dormitory", 30.0)] * 2,
}
STAYS = {
    "rental": ("tenant", "rental_register"),
    "hotel": ("hotel_guest", "hotel_register"),
    "dormitory": ("dormitory", "worker_housing"),
}
# Recorded in another order than it happened: so long ago at most.
LATE = timedelta(hours=40)
AUTHORS = 12


@dataclass(slots=True)
class Stay:
    """A stay that a terminal was told of. `person` is the number of whom it names now."""

    stay_id: str
    person: int
    rooms: list[str]
    room: str
    arrived_at: datetime
    departed: bool = False


@dataclass(slots=True)
class Premises:
    """Premises that a terminal was told of, with the hazards that are open there."""

    premises_id: str
    kind: str
    rooms: list[str]
    hazards: dict[str, str] = field(default_factory=dict)


class Load:
    """Does things at a rate until it is told to stop. One thing at a time happens to one stay, notice or premises."""

    def __init__(self, terminal: Terminal, seed: int, *, per_second: float) -> None:
        self.terminal, self._rate = terminal, per_second
        self._dice = random.Random(f"{seed}/load")
        self._people = People(f"{seed}/people")
        self._persons: list[dict[str, Any]] = []
        self._stays: list[Stay] = []
        self._premises: list[Premises] = []
        self._wanted: list[int] = []
        self._coming: list[int] = []
        self._notices: list[str] = []
        self._seen: set[str] = set()
        self._serial = 0
        self._running: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Register premises, and wait until registration knows them."""
        await asyncio.gather(*(self._new_premises() for _ in range(PREMISES_AT_START)))

    async def run(self, stop: asyncio.Event) -> None:
        """Begin something at the rate, however long what was begun before takes; return when all of it has ended."""
        doing: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "arrival": self._arrive, "departure": self._depart, "correction": self._correct, "notice": self._notice,
            "withdrawal": self._withdraw, "inspection": self._inspect, "clearance": self._clear,
            "premises": self._new_premises, "acknowledgement": self._acknowledge,
        }  # fmt: skip
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        while not stop.is_set():
            (name,) = self._dice.choices(names, weights)
            task = asyncio.create_task(doing[name]())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            try:
                await asyncio.wait_for(stop.wait(), self._dice.expovariate(self._rate))
            except TimeoutError:
                continue
        await asyncio.gather(*self._running)

    @property
    def under_way(self) -> int:
        """How many things were begun and not ended."""
        return len(self._running)

    async def _new_premises(self) -> None:
        kind = self._dice.choice(list(ROOMS))
        self._serial += 1
        address = f"柳堤街道 {self._serial} 号"
        numbers = [f"{n:03d}" for n in range(101, 101 + len(ROOMS[kind]))]
        rooms = [
            {"number": number, "type": type_, "area_m2": area}
            for number, (type_, area) in zip(numbers, ROOMS[kind], strict=True)
        ]
        body = {
            "kind": kind, "name": "试验住所", "address": address, "division_code": "330199001",
            "latitude": 30.25, "longitude": 120.17, "rooms": rooms,
            "operator": {"kind": "firm", "name": "试验有限公司", "phone": "10000000000"},
        }  # fmt: skip
        facts = {"address": address, "kind": kind, "rooms": len(rooms)}
        answer = await self._ask("premises", "housing", "/api/v1/premises", body, "inspector", facts)
        if answer is not None and await self._known(answer["premises_id"]):
            self._premises.append(Premises(answer["premises_id"], kind, numbers))

    async def _known(self, premises_id: str) -> bool:
        """Wait until registration was told of the premises."""
        headers = {"Authorization": f"Bearer {self.terminal.tokens['clerk']}"}
        give_up = time.monotonic() + 300
        while time.monotonic() < give_up:
            address = self._dice.choice(self.terminal.addresses["registration"])
            try:
                found = await self.terminal.http.get(f"{address}/api/v1/premises/{premises_id}", headers=headers)
                if found.status_code == 200:
                    return True
            except httpx.HTTPError:
                self.terminal.counts["cut"] += 1
            await asyncio.sleep(0.3)
        return False

    async def _arrive(self) -> None:
        premises = self._dice.choice(self._premises)
        person = self._who_arrives()
        kind, basis = STAYS[premises.kind]
        room = self._dice.choice(premises.rooms)
        arrived_at = self._moment()
        body = {
            "person": self._persons[person], "premises_id": premises.premises_id, "room": room, "kind": kind,
            "arrived_at": arrived_at.isoformat(), "legal_basis": basis,
        }  # fmt: skip
        facts = {
            "person": person, "premises_id": premises.premises_id, "room": room, "arrived_at": arrived_at.isoformat()
        }  # fmt: skip
        answer = await self._ask("arrival", "registration", "/api/v1/arrivals", body, "clerk", facts)
        if answer is not None:
            self._stays.append(Stay(answer["stay_id"], person, premises.rooms, room, arrived_at))

    def _moment(self) -> datetime:
        """A time at which something happened: now for most, long ago for some, never the same twice."""
        now = datetime.now(UTC) - timedelta(microseconds=self._dice.randrange(1, 1_000_000))
        return now - LATE * self._dice.random() if self._dice.random() < 0.2 else now

    def _new_person(self) -> int:
        self._persons.append(self._people.person())
        return len(self._persons) - 1

    def _who_arrives(self) -> int:
        if self._coming and self._dice.random() < WANTED_SHARE * 2:
            return self._coming.pop()
        if self._wanted and self._dice.random() < WANTED_SHARE:
            return self._dice.choice(self._wanted)
        return self._new_person()

    def _take_stay(self, *, departed: bool = False) -> Stay | None:
        fitting = [stay for stay in self._stays if stay.departed is departed]
        if not fitting:
            return None
        stay = self._dice.choice(fitting)
        self._stays.remove(stay)
        return stay

    async def _depart(self) -> None:
        stay = self._take_stay()
        if stay is None:
            return
        departed_at = max(self._moment(), stay.arrived_at + timedelta(microseconds=1))
        path = f"/api/v1/stays/{stay.stay_id}/departure"
        facts = {"stay_id": stay.stay_id, "departed_at": departed_at.isoformat()}
        body = {"departed_at": departed_at.isoformat()}
        answer = await self._ask("departure", "registration", path, body, "clerk", facts)
        if answer is not None:
            stay.departed = True
            self._stays.append(stay)

    async def _correct(self) -> None:
        stay = self._take_stay(departed=self._dice.random() < 0.1)
        if stay is None:
            return
        field_, value, facts = self._correction(stay)
        path = f"/api/v1/stays/{stay.stay_id}/corrections"
        body = {"field": field_, "value": value, "reason": "登记有误"}
        facts |= {"stay_id": stay.stay_id, "field": field_}
        answer = await self._ask("correction", "registration", path, body, "clerk", facts)
        if answer is not None:
            stay.person, stay.room = facts.get("person", stay.person), facts.get("room", stay.room)
            self._stays.append(stay)

    def _correction(self, stay: Stay) -> tuple[str, Any, dict[str, Any]]:
        field_ = self._dice.choice(["document", "document", "room", "name"])
        others = [room for room in stay.rooms if room != stay.room]
        if field_ == "room" and others:
            room = self._dice.choice(others)
            return "room", room, {"room": room}
        if field_ == "document":
            wanted = [person for person in self._wanted if person != stay.person]
            person = self._dice.choice(wanted) if wanted and self._dice.random() < 0.4 else self._new_person()
            return "document", self._persons[person]["document"], {"person": person}
        return "name", self._people.name(rare=0.5), {}

    async def _notice(self) -> None:
        """Propose and approve: for somebody who is here, or who is still to come."""
        present = [stay.person for stay in self._stays if not stay.departed and stay.person not in self._wanted]
        person = self._dice.choice(present) if present and self._dice.random() < 0.5 else self._new_person()
        now = datetime.now(UTC)
        instrument = f"CHAOS-{uuid.uuid4().hex[:12]}"
        document = self._persons[person]["document"]
        body = {
            "kind": "wanted",
            "instrument": {"kind": "wanted_order", "number": instrument, "authority": "测试县公安局"},
            "subject": {"document": {k: document[k] for k in ("kind", "number", "issuing_country") if k in document}},
            "starts_at": (now - timedelta(minutes=1)).isoformat(), "ends_at": (now + timedelta(days=30)).isoformat(),
            "recipients": ["command-centre"], "instructions": "两名民警到场，先核对证件原件。",
        }  # fmt: skip
        author = f"author-{self._dice.randrange(AUTHORS)}"
        self._wanted.append(person)
        facts = {"person": person, "instrument": instrument}
        proposed = await self._ask("notice", "alerts", "/api/v1/notices", body, author, facts)
        if proposed is None:
            return
        notice_id = proposed["notice_id"]
        path = f"/api/v1/notices/{notice_id}/approval"
        body = {"content_hash": proposed["content_hash"]}
        approved = await self._ask("approval", "alerts", path, body, "approver", {"notice_id": notice_id})
        if approved is not None:
            self._notices.append(notice_id)
            self._coming.append(person)

    async def _withdraw(self) -> None:
        if not self._notices:
            return
        notice_id = self._notices.pop(self._dice.randrange(len(self._notices)))
        path = f"/api/v1/notices/{notice_id}/withdrawal"
        await self._ask("withdrawal", "alerts", path, {"reason": "已撤销"}, "author-0", {"notice_id": notice_id})

    async def _inspect(self) -> None:
        premises = self._take_premises()
        if premises is None:
            return
        inspected_at = self._moment()
        items = {item: "pass" if self._dice.random() < 0.6 else "fail" for item in self._dice.sample(ITEMS, 3)}
        rows: list[dict[str, Any]] = [{"item": item, "result": result} for item, result in items.items()]
        for row in rows:
            if row["result"] == "fail" and self._dice.random() < 0.4:
                row["severity"] = "imminent"
        body = {
            "checklist_version": "1", "entry_basis": "consent", "outcome": "done",
            "inspected_at": inspected_at.isoformat(), "items": rows,
        }  # fmt: skip
        path = f"/api/v1/premises/{premises.premises_id}/inspections"
        facts = {"premises_id": premises.premises_id, "inspected_at": inspected_at.isoformat(), "items": items}
        answer = await self._ask("inspection", "housing", path, body, "inspector", facts)
        if answer is not None:
            premises.hazards |= {hazard["item"]: hazard["hazard_id"] for hazard in answer["hazards"]}
            for item in (item for item, result in items.items() if result == "pass"):
                premises.hazards.pop(item, None)
            self._premises.append(premises)

    def _take_premises(self) -> Premises | None:
        """Take premises out of the list while something happens to them; some always stay for arrivals."""
        if len(self._premises) <= PREMISES_AT_START // 2:
            return None
        return self._premises.pop(self._dice.randrange(len(self._premises)))

    async def _clear(self) -> None:
        premises = self._take_premises()
        if premises is None:
            return
        if premises.hazards:
            item, hazard_id = premises.hazards.popitem()
            path = f"/api/v1/hazards/{hazard_id}/clearances"
            facts = {"hazard_id": hazard_id, "premises_id": premises.premises_id, "item": item}
            answer = await self._ask("clearance", "housing", path, {"note": "已整改"}, "inspector", facts)
            if answer is None:
                return
        self._premises.append(premises)

    async def _acknowledge(self) -> None:
        """A duty officer takes over one of the newest alerts."""
        headers = {"Authorization": f"Bearer {self.terminal.tokens['officer']}"}
        address = self._dice.choice(self.terminal.addresses["alerts"])
        try:
            found = await self.terminal.http.get(f"{address}/api/v1/alerts?state=new&limit=20", headers=headers)
            alerts = found.json()["items"] if found.status_code == 200 else []
        except (httpx.HTTPError, ValueError):
            return
        fresh = [alert["alert_id"] for alert in alerts if alert["alert_id"] not in self._seen]
        if fresh:
            alert_id = self._dice.choice(fresh)
            self._seen.add(alert_id)
            path = f"/api/v1/alerts/{alert_id}/acknowledgement"
            await self._ask("acknowledgement", "alerts", path, {}, "officer", {"alert_id": alert_id})

    async def _ask(
        self, what: str, service: str, path: str, body: dict[str, Any], who: str, facts: dict[str, Any]
    ) -> dict[str, Any] | None:
        return await self.terminal.ask(Call(what, service, path, body, who, facts))
