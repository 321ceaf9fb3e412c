"""A running city's history gets more partitions, as the runbook says: nothing lost, nothing twice, states agree."""

import os
import re
import signal
from pathlib import Path

import pytest

from anju.topics.declared import TOPICS_FILE
from tests.system import journal
from tests.system.administrator import SECONDS
from tests.system.town import Town
from tests.waiting import until

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(420),
    pytest.mark.skipif(
        os.environ.get("ANJU_SHOWS") != "full", reason="a city of its own takes minutes: ANJU_SHOWS=full"
    ),
]
TOPIC = "registration.stays"


async def test_a_history_grows_while_guests_come(town: Town, tmp_path: Path) -> None:
    await town.settled()
    before = {partition for topic, partition in await _places(town) if topic == TOPIC}
    declared = tmp_path / "topics.yaml"
    text = TOPICS_FILE.read_text("utf-8")
    more = re.sub(rf"(  {re.escape(TOPIC)}:\n(?:    .*\n)*?    partitions: )\d+", rf"\g<1>{len(before) + 4}", text)
    declared.write_text(more, "utf-8")

    town.killed.add("registration-worker")
    town.city.kill("registration-worker", signal.SIGSTOP)
    waiting = [await town.arrive() for _ in range(8)]
    grown = await town.administrator.grow(TOPIC, declared)
    assert (grown["before"], grown["partitions"]) == (len(before), len(before) + 4)
    assert set(waiting).isdisjoint(await journal.published_arrivals(town.city.status()))
    town.city.kill("registration-worker")
    await town.live()
    await town.settled()
    published = await journal.published_arrivals(town.city.status())
    assert {published[stay] for stay in town.stays} == {1}
    after = set(range(len(before) + 4))
    await until(lambda: _reads(town, after), SECONDS)


async def _reads(town: Town, partitions: set[int]) -> bool:
    return {partition for topic, partition in await _places(town) if topic == TOPIC} == partitions


async def _places(town: Town) -> set[tuple[str, int]]:
    """Where alerts reads."""
    places = await town.administrator.answer("consumers", "status", "alerts")
    return {(each["topic"], each["partition"]) for each in places}
