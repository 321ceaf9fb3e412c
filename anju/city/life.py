"""Owns what happens in the city: a step is a function of the seed, its number, its time and the memory."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from anju.city import papers, rhythm
from anju.city.memory import Hazard, Memory, Stay
from anju.city.places import OWN_HOTEL_UNIT, Place
from anju.city.plan import Plan
from anju.city.terminals import Official, Refused, Terminals

log = structlog.get_logger()

AUTHOR = Official("notice_author", "notice-desk-01", "沈序")
APPROVER = Official("notice_approver", "notice-desk-02", "范宁")
CLERKS = {"station-01": "陆平", "station-02": "尹霜"}
INSPECTORS = {"station-01": "江禾", "station-02": "段青"}
FRONT_DESK = Official("premises_operator", OWN_HOTEL_UNIT)

# Where people move in and out: hotels most of all, flats seldom.
TURNOVER = {"hotel": 60, "rental": 14, "shared_rental": 10, "dormitory": 10, "site_shed": 6}
COMES_AGAIN = 0.6
# Steps; at two a second some minutes. Who is sought comes after the notice, a crowd leaves, a hazard is cleared.
UNTIL_FOUND, UNTIL_THINNED, UNTIL_CLEARED = range(20, 160), range(400, 1_400), range(200, 1_200)
CROWD = range(1, 4)
CROWD_CANDIDATES = 40
INSPECTIONS, STUBS = "/api/v1/premises/{premises_id}/inspections", "/api/v1/premises-stubs"
# A visitor of the demo may have been faster; the city takes it as done.
DONE_ALREADY = frozenset({"already-departed", "already-cleared"})

Note = Callable[[], None]


class Life:
    """The city's events. `advance` does one."""

    def __init__(self, plan: Plan, memory: Memory, terminals: Terminals, residents: int) -> None:
        self._plan, self._memory, self._terminals, self._residents = plan, memory, terminals, residents

    async def advance(self, now: datetime) -> str:
        """Do the step that is due, note what came of it, and return what kind it was."""
        memory = self._memory
        number, at = memory.step(now)
        step = _Step(self._plan, memory, self._terminals, number, at)
        kind = await self._choose(step)
        try:
            await getattr(step, kind)()
        except Refused as refused:
            # A visitor changed something first, or a rule did: the city goes on with the next step.
            log.warning("step-refused", step=kind, status=refused.status, code=refused.code)
        with memory.together():
            for note in step.notes:
                note()
            memory.step_done(number)
        return kind

    async def _choose(self, step: "_Step") -> str:
        for kind in ("sought_arrival", "settled_departure", "clearance"):
            if step.is_due(kind):
                return kind
        fullness = len(self._memory.stays) / max(1, self._residents)
        inspections = await self._terminals.offers("housing", INSPECTIONS)
        stubs = await self._terminals.offers("registration", STUBS)
        weights = rhythm.mix(step.at, fullness, inspections=inspections, stubs=stubs)
        return step.dice.choices(list(weights), list(weights.values()))[0]


class _Step:
    """One step under way; `notes` are kept when it is done."""

    def __init__(self, plan: Plan, memory: Memory, terminals: Terminals, number: int, at: datetime) -> None:
        self.at, self.dice = at, random.Random(f"{plan.seed}/step/{number}")
        self.notes: list[Note] = []
        self._plan, self._memory, self._terminals, self._number = plan, memory, terminals, number
        self._errands = 0
        self._coming: set[int] = set()
        self._next = int(memory.fact("next-person") or 0)

    def is_due(self, kind: str) -> bool:
        """Whether something that an earlier step settled happens in this one."""
        due = {
            "sought_arrival": self._memory.due_person,
            "settled_departure": self._memory.due_leaver,
            "clearance": self._memory.due_hazard,
        }
        return due[kind](self._number) is not None

    async def arrival(self) -> None:
        """Somebody moves in where a bed is free."""
        bed = self._free_bed(*self.dice.choices(list(TURNOVER), list(TURNOVER.values())))
        if bed is not None:
            await self._move_in(self._somebody(bed[0]), *bed)

    async def sought_arrival(self) -> None:
        """Somebody whom a notice names moves into a hotel."""
        person = self._memory.due_person(self._number)
        bed = self._free_bed("hotel")
        assert person is not None
        self.notes.append(lambda: self._memory.found(person))
        if bed is not None:
            await self._move_in(person, *bed)

    async def departure(self) -> None:
        """Somebody moves out."""
        kind = self.dice.choices(list(TURNOVER), list(TURNOVER.values()))[0]
        stays = [stay for stay in self._memory.open_stays() if stay.leaves_at_step is None]
        of_kind = [stay for stay in stays if self._plan.places[stay.place].kind == kind]
        if stays:
            await self._move_out(self.dice.choice(of_kind or stays))

    async def settled_departure(self) -> None:
        """One of a crowd moves out."""
        stay = self._memory.due_leaver(self._number)
        assert stay is not None
        await self._move_out(stay)

    async def correction(self) -> None:
        """A clerk puts something right: a number that was copied wrongly first, else a room or an expected end."""
        stays = self._memory.open_stays()
        if not stays:
            return
        wrong = [stay for stay in stays if stay.to_verify]
        stay = self.dice.choice(wrong if wrong and self.dice.random() < 0.5 else stays)
        place = self._plan.places[stay.place]
        other_rooms = sorted(set(place.beds) - {stay.room})
        field, value, reason = "phone", f"100{self.dice.randrange(10**8):08d}", "补录电话"
        room = stay.room
        if stay.to_verify:
            field, value, reason = "document", self._plan.population.person(stay.person)["document"], "证件号码录入有误"
        elif place.kind == "hotel" and self.dice.random() < 0.5:
            until = self.at + timedelta(days=self.dice.randrange(1, 10))
            field, value, reason = "expected_until", until.isoformat(), "续住"
        elif other_rooms:
            room = self.dice.choice(other_rooms)
            field, value, reason = "room", room, "换房"
        body = {"field": field, "value": value, "reason": reason}
        await self._post(self._registrar(place), "registration", f"/api/v1/stays/{stay.stay_id}/corrections", body)
        corrected = Stay(stay.stay_id, stay.person, stay.place, room, stay.leaves_at_step)
        self.notes.append(lambda: self._memory.arrived(corrected))

    async def notice(self) -> None:
        """A notice on somebody who will arrive soon: proposed at one desk, approved at another."""
        person = self._stranger()
        proposed = await self._propose(person)
        await self._post(
            APPROVER,
            "alerts",
            f"/api/v1/notices/{proposed['notice_id']}/approval",
            {"content_hash": proposed["content_hash"]},
        )
        arrives = self._number + self.dice.choice(UNTIL_FOUND)
        self.notes.append(lambda: self._memory.seek(person, arrives))

    async def proposal(self) -> None:
        """A notice that waits for somebody to approve it."""
        await self._propose(self._stranger())

    async def crowd(self) -> None:
        """More people move into a flat than may live there, for some minutes."""
        living = Counter(stay.place for stay in self._memory.stays.values())
        flats = [
            place
            for place in self._registered()
            if place.kind in ("rental", "shared_rental") and not place.one_household
        ]
        if not flats:
            return
        some = self.dice.sample(flats, min(CROWD_CANDIDATES, len(flats)))
        flat = min(some, key=lambda place: (max(0, place.capacity - living[place.number]), place.number))
        leaves = self._number + self.dice.choice(UNTIL_THINNED)
        for _ in range(max(0, flat.capacity - living[flat.number]) + self.dice.choice(CROWD)):
            await self._move_in(self._somebody(flat), flat, self.dice.choice(flat.beds), leaves)

    async def inspection(self) -> None:
        """An inspector goes through a checklist; some of what fails is put right some minutes later."""
        place = self.dice.choice(self._registered())
        body = papers.inspection(self._plan.checklist, place, self.at, self.dice)
        path = f"/api/v1/premises/{self._memory.premises[place.number]}/inspections"
        answer = await self._post(self._inspector(place), "housing", path, body)
        for found in answer.get("hazards", ()):
            hazard = Hazard(found["hazard_id"], place.number)
            clears = self._number + self.dice.choice(UNTIL_CLEARED)
            self.notes.append(lambda hazard=hazard, clears=clears: self._memory.found_hazard(hazard, clears))  # type: ignore[misc]

    async def stub(self) -> None:
        """A clerk does not find premises, and enters them for an inspector to complete."""
        entered = int(self._memory.fact("stubs") or 0)
        if entered < len(self._plan.unknown):
            place = self._plan.unknown[entered]
            body = {"kind": place.kind, "address": place.address, "division_code": place.division_code}
            await self._post(self._registrar(place), "registration", STUBS, body)
            self.notes.append(lambda: self._memory.keep("stubs", entered + 1))

    async def clearance(self) -> None:
        """A hazard has been put right."""
        hazard = self._memory.due_hazard(self._number)
        assert hazard is not None
        self.notes.append(lambda: self._memory.cleared(hazard))
        inspector = self._inspector(self._plan.places[hazard.place])
        path = f"/api/v1/hazards/{hazard.hazard_id}/clearances"
        await self._post(inspector, "housing", path, {"note": "复查已整改"}, taken_as_done=True)

    async def _move_in(self, person: int, place: Place, room: str, leaves_at_step: int | None = None) -> None:
        premises_id = self._memory.premises[place.number]
        body = papers.arrival(self._plan.population, person, place, room, premises_id, self.at, self.dice)
        answer = await self._post(self._registrar(place), "registration", "/api/v1/arrivals", body)
        to_verify = papers.is_to_verify(body, self._plan.population, person)
        stay = Stay(answer["stay_id"], person, place.number, room, leaves_at_step, to_verify)
        self.notes.append(lambda: self._memory.arrived(stay))

    async def _move_out(self, stay: Stay) -> None:
        self.notes.append(lambda: self._memory.departed(stay))
        registrar = self._registrar(self._plan.places[stay.place])
        path = f"/api/v1/stays/{stay.stay_id}/departure"
        await self._post(registrar, "registration", path, {"departed_at": self.at.isoformat()}, taken_as_done=True)

    async def _propose(self, person: int) -> dict[str, Any]:
        body = papers.notice(self._plan.population.person(person), self.at, self.dice)
        return await self._post(AUTHOR, "alerts", "/api/v1/notices", body)

    async def _post(
        self, who: Official, service: str, path: str, body: dict[str, Any], *, taken_as_done: bool = False
    ) -> dict[str, Any]:
        self._errands += 1
        key = f"{self._plan.name}-step-{self._number}-{self._errands}"
        try:
            return await self._terminals.post(who, service, path, body, key)
        except Refused as refused:
            if taken_as_done and refused.code in DONE_ALREADY:
                return {}
            raise

    def _registered(self) -> list[Place]:
        return [self._plan.places[number] for number in sorted(self._memory.premises)]

    def _free_bed(self, kind: str) -> tuple[Place, str] | None:
        """A place and room of this kind with a free bed, of any kind where none is left."""
        taken = Counter((stay.place, stay.room) for stay in self._memory.stays.values())
        free = [
            (place, room.number)
            for place in self._registered()
            for room in place.rooms
            if room.capacity > taken[place.number, room.number]
        ]
        of_kind = [bed for bed in free if bed[0].kind == kind]
        return self.dice.choice(of_kind or free) if free else None

    def _somebody(self, place: Place) -> int:
        """Somebody who may live there: children only where families do."""
        fits = self._plan.is_anybody if place.kind in papers.FAMILY_KINDS else self._plan.is_adult
        again = [person for person in self._memory.away if fits(person) and person not in self._coming]
        if not again or self.dice.random() > COMES_AGAIN:
            return self._stranger(fits)
        person = self.dice.choice(again)
        self._coming.add(person)
        return person

    def _stranger(self, fits: Callable[[int], bool] | None = None) -> int:
        """Somebody nobody has seen yet, grown up where nothing else is said."""
        fits = fits or self._plan.is_adult
        while not fits(self._next):
            self._next += 1
        person, following = self._next, self._next + 1
        self._next = following
        self.notes.append(lambda: self._memory.keep("next-person", following))
        return person

    def _registrar(self, place: Place) -> Official:
        return FRONT_DESK if place.operator_unit else Official("clerk", place.station, CLERKS[place.station])

    def _inspector(self, place: Place) -> Official:
        return Official("inspector", place.station, INSPECTORS[place.station])
