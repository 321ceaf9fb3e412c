"""The stream: in order, without gaps, resumable, also over a restart, with `reset` for who was away too long."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.web.streams import Event
from services.alerts import stream
from services.alerts.domain.officers import Officer
from services.alerts.storage.tables import stream_head
from services.alerts.stream import AlertFeed
from services.alerts.use_cases.acknowledge_alert import acknowledge_alert
from tests.service.alerts.conftest import KEYRING, Matcher, NoticeDesk, alert_rows, stay_event, token_of

pytestmark = pytest.mark.postgres

SECONDS = 30.0
DUTY = Officer("duty", "张六", "command-centre")


@pytest.fixture
async def feed(db: Database) -> AsyncIterator[AlertFeed]:
    """A web process's feed, running."""
    made = AlertFeed(db)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.wait([task])


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    """The next events, within SECONDS."""
    async with asyncio.timeout(SECONDS):
        return [await anext(events) for _n in range(count)]


def seen(events: list[Event]) -> list[tuple[int, str]]:
    """Position and change of each."""
    return [(int(event.id or -1), json.loads(event.data).get("change", event.event)) for event in events]


async def test_a_change_is_streamed_with_its_position_and_no_person(
    db: Database, desk: NoticeDesk, matcher: Matcher, feed: AlertFeed
) -> None:
    """Exactly the four fields of interfaces.md."""
    events = await feed.open(None)
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    (event,) = await take(events, 1)
    (row,) = await alert_rows(db)
    assert (event.event, event.id) == ("alert", "1")
    assert json.loads(event.data) == {
        "alert_id": str(row.alert_id),
        "change": "raised",
        "severity": "critical",
        "state": "new",
    }


async def test_many_writers_at_once_are_one_gapless_order(db: Database, desk: NoticeDesk, feed: AlertFeed) -> None:
    """40 alerts by 8 matchers and 40 steps, side by side; three readers from different places see the same."""
    await desk.activate("1")
    live = await feed.open(0)
    matchers = [Matcher(db) for _n in range(8)]

    async def raise_and_acknowledge(one: Matcher) -> None:
        for _n in range(5):
            await one.read(stay_event(token_of("1")))

    await asyncio.gather(*map(raise_and_acknowledge, matchers))
    rows = await alert_rows(db)

    async def acknowledge(some: Sequence[Any]) -> None:
        for row in some:
            async with db.transaction() as tx:
                await acknowledge_alert(tx, row.alert_id, None, by=DUTY, keyring=KEYRING)

    # Eight officers, not forty: who waits for one of the pool's ten connections is told that it is busy.
    await asyncio.gather(*(acknowledge(rows[n::8]) for n in range(8)))
    first = seen(await take(live, 80))
    assert [position for position, _change in first] == list(range(1, 81))
    assert sorted(change for _position, change in first) == ["acknowledged"] * 40 + ["raised"] * 40
    assert seen(await take(await feed.open(30), 50)) == first[30:]
    restarted = AlertFeed(db)
    task = asyncio.create_task(restarted.run())
    assert seen(await take(await restarted.open(79), 1)) == first[79:]
    assert seen(await take(await restarted.open(0), 80)) == first
    task.cancel()


async def test_resuming_goes_on_with_what_happened_meanwhile(
    db: Database, desk: NoticeDesk, matcher: Matcher, feed: AlertFeed
) -> None:
    """Nothing twice, nothing missed."""
    await desk.activate("1")
    events = await feed.open(0)
    await matcher.read(stay_event(token_of("1")))
    (last,) = await take(events, 1)
    await matcher.read(stay_event(token_of("1")), stay_event(token_of("1")))
    resumed = await feed.open(int(last.id or 0))
    assert seen(await take(resumed, 2)) == [(2, "raised"), (3, "raised")]


async def test_who_is_too_far_behind_or_ahead_is_reset(
    db: Database, desk: NoticeDesk, matcher: Matcher, feed: AlertFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `reset` names where to go on, and then it goes on."""
    monkeypatch.setattr(stream, "RESUMABLE", 2)
    live = await feed.open(None)
    await desk.activate("1")
    await matcher.read(*(stay_event(token_of("1")) for _n in range(3)))
    await take(live, 3)
    for after in (0, 99):
        events = await feed.open(after)
        (reset,) = await take(events, 1)
        assert (reset.event, reset.id, json.loads(reset.data)) == ("reset", "3", {"stream_position": 3})
        await matcher.read(stay_event(token_of("1")))
        assert seen(await take(events, 1))[0][1] == "raised"
        async with db.transaction() as tx:
            await tx.execute(sa.text("DELETE FROM alert_changes WHERE position > 3"))
            await tx.execute(sa.update(stream_head).values(position=3))


async def test_a_database_that_went_back_resets_its_readers(
    db: Database, desk: NoticeDesk, matcher: Matcher, feed: AlertFeed
) -> None:
    """What they have seen may never have been."""
    await desk.activate("1")
    events = await feed.open(0)
    await matcher.read(*(stay_event(token_of("1")) for _n in range(3)))
    await take(events, 3)
    async with db.transaction() as tx:
        await tx.execute(sa.text("DELETE FROM alert_changes WHERE position > 1"))
        await tx.execute(sa.update(stream_head).values(position=1))
    (reset,) = await take(events, 1)
    assert (reset.event, reset.id) == ("reset", "1")


async def test_older_events_are_read_from_the_database(
    db: Database, desk: NoticeDesk, matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory keeps the recent ones; a page at a time comes from the table."""
    monkeypatch.setattr(stream, "RECENT", 2)
    monkeypatch.setattr(stream, "PAGE", 3)
    await desk.activate("1")
    await matcher.read(*(stay_event(token_of("1")) for _n in range(10)))
    made = AlertFeed(db)
    task = asyncio.create_task(made.run())
    assert [position for position, _change in seen(await take(await made.open(0), 10))] == list(range(1, 11))
    task.cancel()


async def test_a_reader_that_comes_back_at_once_needs_no_database(
    db: Database, desk: NoticeDesk, matcher: Matcher, feed: AlertFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 boards come back in the same moment: what the process remembers is not asked for again."""
    live = await feed.open(None)
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")), stay_event(token_of("1")))
    await take(live, 2)
    monkeypatch.setattr(db, "read", None)
    assert seen(await take(await feed.open(1), 1)) == [(2, "raised")]
    assert seen(await take(await feed.open(0), 2)) == [(1, "raised"), (2, "raised")]
