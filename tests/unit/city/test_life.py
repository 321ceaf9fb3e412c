"""Steps of the city: the same from the same seed, done once however often they are cut short, and on the road again."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from anju.city import rhythm
from anju.city.founding import Founding
from anju.city.life import Life
from anju.city.memory import Memory
from anju.city.officers import OFFICERS, Officers
from anju.city.terminals import Official, Refused
from anju.portal import tokens
from tests.unit.city.test_plan import make

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # ten in the morning
PREMISES, RESIDENTS = 12, 60


class Services:
    """Answers as the services do, once per key; keeps what it was sent."""

    def __init__(self, *, inspections: bool = True) -> None:
        self.sent: dict[str, tuple[Official, str, dict[str, Any]]] = {}
        self.alerts: list[dict[str, Any]] = []
        self.cut_after: int | None = None
        self._inspections = inspections

    async def post(self, who: Official, service: str, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        if self.cut_after is not None and len(self.sent) >= self.cut_after:
            raise ConnectionError
        written = json.loads(json.dumps(body))
        if key in self.sent:
            assert self.sent[key] == (who, path, written), "another body under the same key"
        self.sent[key] = (who, path, written)
        made = str(uuid5(NAMESPACE_OID, key))
        answers: dict[str, dict[str, Any]] = {"arrivals": {"stay_id": made}, "premises": {"premises_id": made}}
        answers["notices"] = {"notice_id": made, "content_hash": "0" * 64}
        failed = [item for item in body.get("items", ()) if item["result"] == "fail"]
        answers["inspections"] = {"hazards": [{"hazard_id": f"{made}-{n}"} for n, _ in enumerate(failed)]}
        return answers.get(path.rpartition("/")[2], {})

    async def get(self, who: Official, service: str, path: str, **query: str) -> dict[str, Any]:
        return {"items": [alert for alert in self.alerts if alert["state"] == query["state"]]}

    async def offers(self, service: str, path: str) -> bool:
        return self._inspections

    def paths(self) -> Counter[str]:
        return Counter(path.rpartition("/")[2] for _, path, _ in self.sent.values())


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anju.city.founding.PER_SECOND", 1e9)


async def found(memory: Memory, services: Services) -> Life:
    plan = make(5, PREMISES)
    await Founding(plan, memory, services, RESIDENTS, NOW).run()  # type: ignore[arg-type]
    return Life(plan, memory, services, RESIDENTS)  # type: ignore[arg-type]


async def live(file: Path, steps: int, services: Services) -> Counter[str]:
    memory = Memory(file)
    life = await found(memory, services)
    kinds = Counter([await life.advance(NOW + timedelta(seconds=number)) for number in range(steps)])
    memory.close()
    return kinds


async def test_same_seed_same_events(tmp_path: Path) -> None:
    one, two = Services(), Services()
    await live(tmp_path / "one", 300, one)
    await live(tmp_path / "two", 300, two)
    assert one.sent == two.sent
    assert one.paths()["arrivals"] > RESIDENTS


async def test_everything_happens_in_time(tmp_path: Path) -> None:
    services = Services()
    kinds = await live(tmp_path / "m", 4_000, services)
    assert {"arrival", "departure", "correction", "notice", "sought_arrival", "crowd", "settled_departure"} <= set(
        kinds
    )
    assert {"inspection", "clearance", "stub"} <= set(kinds)
    assert services.paths()["letters"] > PREMISES / 2
    approvers = {who.unit for who, path, _ in services.sent.values() if path.endswith("/approval")}
    authors = {who.unit for who, path, _ in services.sent.values() if path.endswith("/notices")}
    assert not approvers & authors
    memory = Memory(tmp_path / "m")
    assert 0.6 * RESIDENTS < len(memory.stays) < 1.6 * RESIDENTS
    assert Counter(stay.person for stay in memory.stays.values()).most_common(1)[0][1] == 1


async def test_a_city_without_inspections_runs(tmp_path: Path) -> None:
    kinds = await live(tmp_path / "m", 600, services := Services(inspections=False))
    assert "inspection" not in kinds
    assert services.paths()["arrivals"] > RESIDENTS


async def test_cut_short_anywhere_it_goes_on_and_doubles_nothing(tmp_path: Path) -> None:
    whole = Services()
    await live(tmp_path / "whole", 60, whole)
    services = Services()
    cuts = random.Random(1).sample(range(1, len(whole.sent)), 25)
    done = 0
    for cut in [*sorted(cuts), None]:
        services.cut_after = cut
        memory = Memory(tmp_path / "cut")
        try:
            life = await found(memory, services)
            while done < 60:
                await life.advance(NOW + timedelta(seconds=done))
                done += 1
        except (ConnectionError, ExceptionGroup):
            pass
        finally:
            memory.close()
    assert services.sent == whole.sent


async def test_who_is_sought_arrives_after_the_notice(tmp_path: Path) -> None:
    services = Services()
    await live(tmp_path / "m", 1_500, services)
    numbered: dict[str, list[str]] = {}
    for _, path, body in services.sent.values():
        document = body.get("subject", {}).get("document") or body.get("person", {}).get("document")
        if document:
            numbered.setdefault(document["number"], []).append(path.rpartition("/")[2])
    met = [paths for paths in numbered.values() if "notices" in paths and "arrivals" in paths]
    assert met
    assert all(paths[0] == "notices" for paths in met)


async def test_a_refusal_is_one_step_lost(tmp_path: Path) -> None:
    class Refusing(Services):
        async def post(self, *arguments: Any) -> dict[str, Any]:
            if arguments[2].endswith("/departure"):
                raise Refused(403, "forbidden")
            return await super().post(*arguments)

    kinds = await live(tmp_path / "m", 200, Refusing())
    assert kinds["departure"] > 20


def test_the_day_has_a_rhythm() -> None:
    hours = [rhythm.pace(NOW + timedelta(hours=hour)) for hour in range(24)]
    assert sum(hours) / 24 == pytest.approx(1)
    assert min(hours) > 0.4
    full = rhythm.mix(NOW, 1.3, inspections=True, stubs=True)
    assert full["departure"] > full["arrival"]
    assert rhythm.mix(NOW, 0.7, inspections=True, stubs=True)["departure"] < full["arrival"]


def alert(state: str, age: float, owner: str | None = None) -> dict[str, Any]:
    raised = (NOW - timedelta(seconds=age)).isoformat()
    return {
        "alert_id": "a1",
        "state": state,
        "source": "notice",
        "owner": owner,
        "raised_at": raised,
        "due_at": raised,
        "verification": None,
    }


async def test_officers_take_their_time_and_leave_visitors_alerts_alone() -> None:
    services = Services()
    officers = Officers(1, services, lambda: NOW)  # type: ignore[arg-type]
    course = officers.course(alert("new", 0))
    own = tokens.person(OFFICERS[0].role, OFFICERS[0].unit, OFFICERS[0].name)["sub"]
    late = course.closed + 1
    for given, expected in (
        (alert("new", course.acknowledged - 1), None),
        (alert("new", course.acknowledged + 1), "acknowledgement"),
        (alert("acknowledged", late, "a visitor"), None),
        (alert("acknowledged", late, own), "verification"),
        (alert("verified", late, "a visitor"), None),
        (alert("verified", late, own), "closure"),
    ):
        services.alerts, services.sent = [given], {}
        await officers.look()
        assert [path.rpartition("/")[2] for _, path, _ in services.sent.values()] == ([expected] if expected else [])
