"""An administrator's day on a running city: the doctor names a fault, its command mends it; notices ask again."""

import json
import uuid
from datetime import UTC, datetime

import aiokafka
import httpx
import pytest

from tests.parts import DemoCity
from tests.people import People
from tests.system import journal
from tests.system.administrator import SECONDS, Administrator, run
from tests.system.desks import Desks
from tests.waiting import until

# Each command is a process of its own, which a busy machine of two cores has been seen to give half a minute.
pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]


async def test_the_doctor_names_a_dead_letter_and_its_command_leads_to_the_mend(city: DemoCity) -> None:
    kafka = city.status()["kafka"]
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=kafka["bootstrap"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=kafka["username"],
        sasl_plain_password=kafka["password"],
    )
    before = {letter["id"] for letter in await Administrator(city).answer("dead-letters", "list", "alerts")}
    await producer.start()
    await producer.send_and_wait("registration.stays", b"\x00 not an event", key=b"x", partition=0)
    await producer.stop()

    told = await Administrator(city).told("dead-letters", "alerts")
    assert told["command"] == f"anju dead-letters list alerts --data-dir {city.data_dir}"
    listed = await run(*told["command"].split()[1:], "--json")
    (letter,) = [each for each in json.loads(listed.stdout) if each["id"] not in before]

    words = f"anju dead-letters show alerts --data-dir {city.data_dir} "
    shell = {"_ANJU_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "6"}
    assert str(letter["id"]) in (await run(**shell)).stdout.split()

    shown = await Administrator(city).answer("dead-letters", "show", "alerts", str(letter["id"]))
    assert (shown["found"], shown["letter"]["topic"]) == (True, "registration.stays")
    closed = await Administrator(city).answer("dead-letters", "discard", "alerts", str(letter["id"]))
    assert closed == {"service": "alerts", "id": letter["id"], "state": "discarded"}
    assert {each["id"] for each in await Administrator(city).answer("dead-letters", "list", "alerts")} == before


async def test_a_lost_alert_comes_back_when_notices_ask_again(
    desks: Desks, http: httpx.AsyncClient, city: DemoCity
) -> None:
    """As after a restore: who is still here is found once; who has left, and who has the alert, is not raised again."""
    people = People(seed=uuid.uuid4().int)
    premises_id = await desks.premises(http)
    persons = [people.person() for _ in range(3)]
    notices = [await desks.notice(http, person["document"]) for person in persons]
    stays = [(await desks.arrive(http, desks.arrival(person, premises_id)))["stay_id"] for person in persons]
    expected = {(uuid.UUID(notice), uuid.UUID(stay)) for notice, stay in zip(notices, stays, strict=True)}

    async def pairs() -> list[tuple[uuid.UUID, uuid.UUID]]:
        raised = await journal.raised_alerts(city.status())
        return [pair for pair, count in raised.items() for _ in range(count) if pair in expected]

    async def all_raised() -> bool:
        return set(await pairs()) == expected

    await until(all_raised)
    kept, lost, departed = map(uuid.UUID, stays)
    left = await http.post(
        f"{desks.services['registration']}/api/v1/stays/{departed}/departure",
        json={"departed_at": datetime.now(UTC).isoformat()},
        headers=desks.headers("clerk", "station-01"),
    )
    assert left.status_code == 200, left.text
    async with journal.database(city.status(), "alerts") as connection, connection.transaction():
        gone = "(SELECT alert_id FROM alerts WHERE stay_id = ANY($1))"
        await connection.execute(f"DELETE FROM alert_changes WHERE alert_id IN {gone}", [lost, departed])
        await connection.execute("DELETE FROM alerts WHERE stay_id = ANY($1)", [lost, departed])

    async def back() -> bool:
        return {stay for _notice, stay in await pairs()} == {kept, lost}

    for _ in range(2):
        asked = await Administrator(city).answer("notices", "recheck")
        assert asked["asked"] >= len(notices)
        assert asked["refused"] == []
        await until(back, SECONDS)
    await until(lambda: _read(city, "registration", "alerts.notices"), SECONDS)
    await until(lambda: _read(city, "alerts", "registration.stays"), SECONDS)
    assert sorted(stay for _notice, stay in await pairs()) == sorted([kept, lost])


async def _read(city: DemoCity, service: str, topic: str) -> bool:
    """Whether a service has read all that stands in a topic, and what it answers is sent."""
    places = [
        place for place in await Administrator(city).answer("consumers", "status", service) if place["topic"] == topic
    ]
    sent = await Administrator(city).answer("outbox", "status", service)
    return sent["unsent"] == 0 and bool(places) and all(place["lag"] == 0 for place in places)


async def test_what_scripts_ask_for_is_json(city: DemoCity) -> None:
    assert {each["topic"] for each in await Administrator(city).answer("consumers", "status", "alerts")} >= {
        "registration.stays"
    }
    assert set(await Administrator(city).answer("outbox", "status")) == {
        "registration",
        "housing",
        "alerts",
        "reporting",
    }
    assert await Administrator(city).answer("migrate", "all") == {
        name: [] for name in ("registration", "housing", "alerts", "reporting")
    }
    assert (await Administrator(city).answer("audit", "verify", "alerts"))["first_bad"] is None
    assert {"done", "drift"} == set(await Administrator(city).answer("topics", "apply", "--check"))
    assert {pack["id"] for pack in await Administrator(city).answer("policy", "check")} >= {"capacity", "retention"}
    assert (await Administrator(city).answer("demo", "status"))["ready"] is True
