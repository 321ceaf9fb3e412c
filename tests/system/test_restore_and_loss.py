"""A running city that loses an hour or a topic: nothing is missing in silence, no alert comes twice.

What mends it is taken from the health page or the doctor and run as it stands there.
"""

import os
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.parts import DemoCity, LocalParts
from tests.people import People
from tests.system import journal
from tests.system.administrator import SECONDS, Administrator
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

# The whole matrix takes minutes: ANJU_SHOWS=full runs it, CI one of each kind.
FULL = os.environ.get("ANJU_SHOWS") == "full"
TOPICS = (
    *("registration.stays", "housing.premises", "registration.occupancy", "registration.units"),
    *("registration.statistics", "housing.inspections", "housing.statistics", "alerts.alerts"),
    *("alerts.notices", "alerts.statistics", "alerts.department.fire"),
)
Pair = tuple[uuid.UUID, uuid.UUID]


@dataclass
class Town:
    """A city with its desks, its administrator, and what its desks were told."""

    city: DemoCity
    http: httpx.AsyncClient
    premises_id: str = ""
    people: People = field(default_factory=lambda: People(seed=uuid.uuid4().int))
    wanted: set[Pair] = field(default_factory=set)
    stays: list[str] = field(default_factory=list)

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
        assert not [each["name"] for each in self.city.status()["processes"] if each["restarts"]], "none was in trouble"
        published = await journal.published_arrivals(self.city.status())
        assert {published[stay] for stay in await journal.stored_stays(self.city.status())} <= {0, 1}

    def lose(self, stays: set[str]) -> None:
        """Registration has lost these stays: nobody waits for them any more."""
        self.stays = [stay for stay in self.stays if stay not in stays]


def now() -> str:
    """The time as a form sends it."""
    return datetime.now(UTC).isoformat()


@pytest.fixture(scope="module")
async def town(local_parts: LocalParts, http: httpx.AsyncClient) -> AsyncIterator[Town]:
    """A city of this module's own, in which people live already."""
    city = DemoCity(local_parts.reaper)
    try:
        await city.up()
        town = Town(city, http)
        town.premises_id = await town.desks.premises(http)
        await town.live()
        yield town
    finally:
        city.remove()


def command_in(reason: str) -> str:
    """The command that a health page names."""
    found = re.search(r"`(anju [^`]+)`", reason)
    assert found, reason
    return found[1]


async def test_a_restored_publisher_says_what_to_run_and_sends_nothing_before(town: Town, tmp_path: Path) -> None:
    await town.settled()
    administrator = town.administrator
    await administrator.back_up("registration", tmp_path / "dump")
    before = set(town.stays)
    await town.live()
    await town.settled()
    lost = set(town.stays) - before
    town.lose(lost)

    await administrator.restore("registration", tmp_path / "dump")
    reason = await administrator.reason("registration", "anju recover")
    assert "Kafka has events that this database does not know" in reason
    waiting = await town.arrive()
    finding = await administrator.told("kafka-ahead")
    assert waiting not in await journal.published_arrivals(town.city.status()), "it sends nothing before it may"
    assert finding["command"] == f"{command_in(reason)} --data-dir {town.city.data_dir}"

    topic = "registration.stays"
    status = town.city.status()
    unknown = await journal.published_ids(status, topic) - await journal.kept_ids(status, "registration", topic)
    assert len(unknown) >= 3, "two arrivals, a departure, and whom a notice's question found there already"
    report = await administrator.obey(finding["command"])
    assert sum(each["records"] for each in report["unknown"] if each["topic"] == topic) == len(unknown)
    assert lost.isdisjoint(await journal.stored_stays(town.city.status()))
    await until(lambda: _published(town, waiting), SECONDS)
    await town.live()
    await town.settled()


async def _published(town: Town, stay: str) -> bool:
    return stay in await journal.published_arrivals(town.city.status())


async def test_a_restored_consumer_takes_again_what_it_lost(town: Town, tmp_path: Path) -> None:
    """Nothing of its own was published since, so nobody has to do anything."""
    await town.settled()
    await town.administrator.back_up("reporting", tmp_path / "reporting")
    await town.live()
    await town.settled()
    await town.administrator.restore("reporting", tmp_path / "reporting")
    await town.settled()
    assert await town.administrator.reasons("reporting") == []
    report = await town.administrator.answer("recover", "reporting")
    assert (report["unknown"], report["states"]) == ([], [])
    await town.live()
    await town.settled()


async def test_a_restored_matcher_raises_its_lost_alerts_again_and_once(town: Town, tmp_path: Path) -> None:
    """The notice is older than the backup, the guest came after it: the alert is lost with the hour and comes back."""
    person = town.people.person()
    notice_id = await town.desks.notice(town.http, person["document"])
    await town.settled()
    await town.administrator.back_up("alerts", tmp_path / "alerts")
    stay = await town.arrive(person)
    town.wanted.add((uuid.UUID(notice_id), uuid.UUID(stay)))
    await town.settled()
    await town.administrator.restore("alerts", tmp_path / "alerts")
    # It reads its hour again before anybody does anything, and tells nobody.
    await town.all_raised()
    reason = await town.administrator.reason("alerts", "anju recover")
    report = await town.administrator.obey(command_in(reason))
    assert sum(each["records"] for each in report["unknown"] if each["topic"] == "alerts.alerts") >= 1
    assert {each["finding"] for each in report["places"]} == {"well"}
    assert (await town.administrator.answer("notices", "recheck"))["refused"] == []
    await town.live()
    await town.settled()


@pytest.mark.parametrize("topic", TOPICS if FULL else TOPICS[:1])
async def test_a_topic_made_anew_is_filled_again(town: Town, topic: str) -> None:
    await town.settled()
    await town.administrator.delete(topic)
    await until(lambda: _misses(town, topic), SECONDS)
    made = await town.administrator.obey("anju topics apply")
    assert topic in {each["subject"] for each in made["done"]}
    await town.live()
    await town.settled()
    newcomers = await journal.published_arrivals(town.city.status())
    if topic == "registration.stays":
        assert set(town.stays) <= set(newcomers), "who reads it for the first time finds everybody"
    for service in ("registration", "housing", "alerts"):
        assert (await town.administrator.answer("outbox", "status", service))["lost"] == []


async def _misses(town: Town, topic: str) -> bool:
    """Whether the doctor or the publisher's health page says what to run."""
    service = topic.split(".")[0]
    said = [each for each in await town.administrator.reasons(service) if topic in each]
    return any("`anju topics apply`" in each for each in said) or any(
        topic in each["where"] + each["what"] for each in await town.administrator.findings("drift-to-apply")
    )
