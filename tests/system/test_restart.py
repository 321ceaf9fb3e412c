"""A city stopped and started on its data; a stream resumed across a restart; a broken record that delays nobody."""

import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiokafka
import httpx
import pytest

from tests.people import People
from tests.system import journal
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]


async def test_down_and_up_loses_nothing_and_raises_nothing_again(new_city: Any, http: httpx.AsyncClient) -> None:
    async with new_city() as city:
        desks = Desks(city.data_dir, city.status()["services"])
        people = People(seed=uuid.uuid4().int)
        premises_id = await desks.premises(http)
        persons = [people.person() for _ in range(10)]
        for person in persons[:3]:
            await desks.notice(http, person["document"])
        stays = [await desks.arrive(http, desks.arrival(person, premises_id)) for person in persons]
        await until(lambda: _has_alerts(city, 3))
        before = await desks.alerts(http)
        position = (
            await http.get(f"{desks.services['alerts']}/api/v1/alerts", headers=desks.headers("duty_officer"))
        ).json()
        await city.down()
        await city.up()
        status = city.status()
        assert {stay["stay_id"] for stay in stays} <= await journal.stored_stays(status)
        async with desks.stream(http, after=position["stream_position"]) as stream:
            last = people.person()
            notice_id = await desks.notice(http, last["document"])
            await desks.arrive(http, desks.arrival(last, premises_id))
            await until(lambda: bool(stream.raised()))
        after = await desks.alerts(http)
        assert [alert for alert in after if alert.get("notice_id") != notice_id] == before
        assert len(after) == len(before) + 1
        assert len(stream.raised()) == 1


async def test_stream_resumes_across_a_restart_of_the_web(desks: Desks, http: httpx.AsyncClient, city: Any) -> None:
    people = People(seed=uuid.uuid4().int)
    premises_id = await desks.premises(http)
    persons = [people.person() for _ in range(12)]
    notices = {await desks.notice(http, person["document"]) for person in persons}
    async with desks.stream(http) as stream:
        for number, person in enumerate(persons):
            if number in (4, 8):
                await city.ready(timeout=60)
                city.kill("alerts-web")
            await desks.arrive(http, desks.arrival(person, premises_id))
        await city.ready(timeout=60)
        await until(lambda: len(stream.raised()) >= len(persons))
        mine = {alert["alert_id"] for alert in await desks.alerts(http) if alert.get("notice_id") in notices}
    assert set(stream.raised()) == mine
    ids = [event_id for _, event_id, _ in stream.events]
    assert len(ids) == len(set(ids))
    assert stream.resumed >= 2


async def test_broken_record_becomes_a_dead_letter_and_delays_nobody(
    desks: Desks, http: httpx.AsyncClient, city: Any
) -> None:
    status = city.status()
    person = People(seed=uuid.uuid4().int).person()
    premises_id = await desks.premises(http)
    notice_id = await desks.notice(http, person["document"])
    before = {letter["id"] for letter in _dead_letters(city)}
    async for producer in _operator(status):
        for partition in range(len(await producer.partitions_for("registration.stays"))):
            await producer.send_and_wait("registration.stays", b"\x00 not an event", key=b"x", partition=partition)
    await desks.arrive(http, desks.arrival(person, premises_id))
    await until(lambda: _has_alert_of(city, notice_id))
    letters = [letter for letter in _dead_letters(city) if letter["id"] not in before]
    assert letters
    assert {letter["topic"] for letter in letters} == {"registration.stays"}
    assert "not an event" not in json.dumps(letters)
    for letter in letters:
        _anju(city, "dead-letters", "discard", "alerts", str(letter["id"]))
    assert {letter["id"] for letter in _dead_letters(city)} == before


async def _has_alerts(city: Any, count: int) -> bool:
    return (await journal.raised_alerts(city.status())).total() >= count


async def _has_alert_of(city: Any, notice_id: str) -> bool:
    return uuid.UUID(notice_id) in {pair[0] for pair in await journal.raised_alerts(city.status())}


def _dead_letters(city: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_anju(city, "dead-letters", "list", "alerts", "--json"))
    return found


def _anju(city: Any, *words: str) -> str:
    command = [sys.executable, "-m", "anju.cli", *words, "--data-dir", str(city.data_dir)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


async def _operator(status: dict[str, Any]) -> AsyncIterator[aiokafka.AIOKafkaProducer]:
    kafka = status["kafka"]
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=kafka["bootstrap"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=kafka["username"],
        sasl_plain_password=kafka["password"],
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
