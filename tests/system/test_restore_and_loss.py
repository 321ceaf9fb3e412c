"""A running city that loses an hour or a topic: nothing is missing in silence, no alert comes twice.

What mends it is taken from the health page or the doctor and run as it stands there.
"""

import os
import re
import signal
import uuid
from pathlib import Path

import pytest

from tests.system import journal
from tests.system.administrator import SECONDS, run
from tests.system.town import Town
from tests.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

# The whole matrix takes minutes: ANJU_SHOWS=full runs it, CI one of each kind.
FULL = os.environ.get("ANJU_SHOWS") == "full"
TOPICS = (
    *("registration.stays", "housing.premises", "registration.occupancy", "registration.units"),
    *("registration.statistics", "housing.inspections", "housing.statistics", "alerts.alerts"),
    *("alerts.notices", "alerts.statistics", "alerts.department.fire"),
)


def commands_in(reason: str) -> list[str]:
    """The commands that a health page names, in the order in which they are to be run."""
    found = re.findall(r"`(anju [^`]+)`", reason)
    assert found, reason
    return found


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
    # What is to be sent has the relay look at once; else it would within a minute.
    waiting = await town.arrive()
    reason = await administrator.reason("registration", "anju recover")
    assert "Kafka has events that this database does not know" in reason
    finding = await administrator.told("kafka-ahead")
    assert waiting not in await journal.published_arrivals(town.city.status()), "it sends nothing before it may"
    assert finding["command"] == f"{commands_in(reason)[0]} --data-dir {town.city.data_dir}"

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
    report = await town.administrator.obey(commands_in(reason)[0])
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


# In CI the outbox still has what retention took; in the whole matrix also that it has not.
@pytest.mark.parametrize("kept", [True, False] if FULL else [True], ids=["kept", "forgotten"][: 1 + FULL])
async def test_a_consumer_stopped_past_retention_says_what_to_run(town: Town, *, kept: bool) -> None:
    """Its log begins after its place: it takes nothing until somebody decides, and what is kept is not lost."""
    person, topic = town.people.person(), "registration.stays"
    notice_id = await town.desks.notice(town.http, person["document"])
    await town.settled()
    town.killed.add("alerts-worker")
    town.city.kill("alerts-worker", signal.SIGSTOP)
    stay = await town.arrive(person)
    pair = uuid.UUID(notice_id), uuid.UUID(stay)
    await until(lambda: _published(town, stay), SECONDS)
    await town.administrator.cut(topic)
    if not kept:
        await _forget(town, topic)
    town.city.kill("alerts-worker")

    reason = await town.administrator.reason("alerts", "lost to retention")
    finding = await town.administrator.told("consumer-lost-records")
    republish, accept = commands_in(reason)
    assert finding["command"] == f"{republish} --data-dir {town.city.data_dir}"
    assert accept in finding["advice"]
    assert pair not in await town.alerts()
    if kept:
        assert sum(each["count"] for each in await town.administrator.obey(republish)) >= 1
        await until(lambda: _published(town, stay), SECONDS)
    else:
        refused = await run(*republish.split()[1:], "--data-dir", str(town.city.data_dir))
        assert (refused.returncode, "keeps nothing" in refused.stderr) == (1, True), refused.stderr
    lost = await town.administrator.obey(accept)
    assert lost["sequences"] == 0
    if not kept:
        assert (lost["goes_on_with"], lost["whole"]) == (None, False), "nobody knows what nobody has"
        assert (await town.administrator.answer("notices", "recheck"))["refused"] == []
    town.wanted.add(pair)
    await town.live()
    await town.settled()
    assert await town.administrator.reasons("alerts") == []


async def _forget(town: Town, topic: str) -> None:
    """Let the outbox be of a later week: it keeps seven days."""
    async with journal.database(town.city.status(), "registration") as connection:
        await connection.execute("DELETE FROM outbox WHERE topic = $1", topic)
