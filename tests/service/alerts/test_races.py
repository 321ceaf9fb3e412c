"""Approval, withdrawal, start and end against arrival, time and again: always the one right answer."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from contracts import envelope, topics
from services.alerts.domain import notices
from services.alerts.domain.notices import Notice, NoticeState
from services.alerts.storage import notice_store
from services.alerts.storage.tables import alerts, notice_changes
from services.alerts.use_cases.advance_notice import advance_notice
from tests.service.alerts.conftest import (
    APPROVER,
    AUTHOR,
    KEYRING,
    SIGNER,
    Matcher,
    NoticeDesk,
    alert_rows,
    emitted,
    now,
    stay_event,
    token_of,
)
from tests.unit.alerts.makers import content

pytestmark = pytest.mark.postgres

# 200 each take a minute and a half: ANJU_SHOWS=full runs them all.
RACES = 200 if os.environ.get("ANJU_SHOWS") == "full" else 80
# Both sides take some milliseconds; so much earlier or later, at random, either may come first.
JITTER_SECONDS = 0.006
# How far one race moves the next one's start towards the side that came second.
STEP_SECONDS = 0.002

# Which comes first differs with each run; what is right does not.
chance = random.Random()


class Balance:
    """Moves the arrival's start until either side comes first about as often, however loaded the machine is."""

    def __init__(self) -> None:
        self._later = 0.0

    def learn(self, arrival_was_first: bool) -> None:
        """Let the arrival start a little later when it was first, else earlier."""
        self._later += STEP_SECONDS if arrival_was_first else -STEP_SECONDS

    async def race(self, arrival: Awaitable[object], other: Awaitable[object], seconds: float = 0.0) -> None:
        """Run both at once, `seconds` from now."""

        async def start(what: Awaitable[object], after: float) -> None:
            await asyncio.sleep(max(0.0, after))
            await what

        later = self._later + chance.uniform(-JITTER_SECONDS, JITTER_SECONDS)
        await asyncio.gather(start(arrival, seconds + later), start(other, seconds - later))


class TimedMatcher(Matcher):
    """A matcher that tells by which database time its last batch was judged."""

    judged_at: datetime

    async def arrive(self, number: str, stay_id: UUID, recorded_at: datetime | None = None) -> None:
        """Read an arrival, and keep the time of its batch."""
        share = self.keeper.share

        async def timed(tx: object) -> datetime:
            self.judged_at = await share(tx)  # type: ignore[arg-type]
            return self.judged_at

        self.keeper.share = timed  # type: ignore[method-assign]
        try:
            await self.read(stay_event(token_of(number), stay_id, recorded_at=recorded_at))
        finally:
            self.keeper.share = share  # type: ignore[method-assign]


async def raised(db: Database, stay_id: UUID) -> int:
    """How many alerts a stay has."""
    async with db.read() as tx:
        query = sa.select(sa.func.count()).where(alerts.c.stay_id == stay_id)
        return int(await tx.scalar(query))


async def changed_at(db: Database, notice: Notice, change: str) -> datetime:
    """When a notice's change took effect."""
    async with db.read() as tx:
        at: datetime = await tx.scalar(
            sa.select(notice_changes.c.at).where(
                notice_changes.c.notice_id == notice.notice_id, notice_changes.c.change == change
            )
        )
    return at


async def test_approval_against_arrival(db: Database, desk: NoticeDesk) -> None:
    """Before the approval the arrival alone raises nothing; with registration's answer there is one alert, always."""
    matcher, balance, before = TimedMatcher(db), Balance(), 0
    for n in range(RACES):
        stay, notice = uuid4(), await desk.propose(str(n))
        await balance.race(matcher.arrive(str(n), stay), desk.approve(notice))
        alone = await raised(db, stay)
        balance.learn(arrival_was_first=not alone)
        assert alone == (matcher.judged_at >= await changed_at(db, notice, "approved"))
        before += not alone
        # What registration sends to whoever is here when `notice-activated` reaches it.
        await matcher.read(stay_event(token_of(str(n)), stay, type_=envelope.PERSON_PRESENT))
        assert await raised(db, stay) == 1
    assert 0 < before < RACES, "the race was none"
    activated = [type_ for type_, _value in await emitted(db, topics.ALERTS_NOTICES)]
    assert activated == [envelope.NOTICE_ACTIVATED] * RACES


async def test_withdrawal_against_arrival(db: Database, desk: NoticeDesk) -> None:
    """One alert if and only if the batch was judged before the withdrawal took effect."""
    matcher, balance, first = TimedMatcher(db), Balance(), 0
    for n in range(RACES):
        stay, notice = uuid4(), await desk.activate(str(n))
        await balance.race(matcher.arrive(str(n), stay), desk.withdraw(notice))
        found = await raised(db, stay)
        balance.learn(arrival_was_first=found > 0)
        assert found == (matcher.judged_at < await changed_at(db, notice, "ended"))
        first += found
        await matcher.read(stay_event(token_of(str(n))))
        assert len(await alert_rows(db)) == first
    assert 0 < first < RACES, "the race was none"


async def short_notice(db: Database, number: str, **term: datetime) -> Notice:
    """An approved notice whose term begins or ends in a moment: nearer than the desk's rules would let anybody ask."""
    async with db.transaction() as tx:
        at = await notice_store.hold_version(tx)
        made = content(
            token=token_of(number), **{"starts_at": at - timedelta(hours=1), "ends_at": at + timedelta(hours=1)} | term
        )
        proposed = notices.propose(made, AUTHOR, at)
        approval = notices.approve(proposed, APPROVER, made.hash(), at)
        approved = notices.approved(proposed, approval, SIGNER.sign(approval.statement()))
        await notice_store.store_new(tx, proposed, b"sealed", at)
        await notice_store.store_change(tx, proposed, approved, "approved", APPROVER, None, at)
    return approved


async def edges(db: Database, edge: str, right: Callable[[datetime, datetime], bool]) -> int:
    """Race arrivals and the timer against an edge of the term; return how many notices began by the clock."""
    matcher, balance, count, scheduled = TimedMatcher(db), Balance(), 0, 0
    takes = 0.02
    for n in range(RACES):
        began = now()
        # Far enough ahead that everything stands ready when the edge comes.
        near = began + timedelta(seconds=2 * takes + 0.02)
        stay, notice = uuid4(), await short_notice(db, str(n), **{edge: near})
        takes = (now() - began).total_seconds()
        scheduled += notice.state is NoticeState.SCHEDULED

        async def tick(notice: Notice = notice) -> None:
            async with db.transaction() as tx:
                await advance_notice(tx, notice.notice_id, keyring=KEYRING)

        await balance.race(matcher.arrive(str(n), stay), tick(), (near - now()).total_seconds())
        balance.learn(arrival_was_first=matcher.judged_at < near)
        found = await raised(db, stay)
        assert found == right(matcher.judged_at, near)
        count += found
        if edge == "starts_at":
            await until_passed(db, near)
            await tick()
            await matcher.read(stay_event(token_of(str(n)), stay, type_=envelope.PERSON_PRESENT))
            assert await raised(db, stay) == 1
    assert 0 < count < RACES, "the race was none"
    return scheduled


async def until_passed(db: Database, moment: datetime) -> None:
    """Wait in the database until its clock has passed a moment."""
    async with db.transaction() as tx:
        left = sa.extract("epoch", moment - sa.func.clock_timestamp())
        await tx.execute(sa.select(sa.func.pg_sleep(sa.func.greatest(0, left))))
        assert await tx.database_time() >= moment


async def test_start_against_arrival(db: Database) -> None:
    """From the start itself on, whether or not the timer has ticked; and the tick asks registration once."""
    scheduled = await edges(db, "starts_at", lambda judged, start: judged >= start)
    activated = [type_ for type_, _value in await emitted(db, topics.ALERTS_NOTICES)]
    assert activated == [envelope.NOTICE_ACTIVATED] * scheduled


async def test_end_against_arrival(db: Database) -> None:
    """To the end itself and no longer, whether or not the timer has ticked."""
    await edges(db, "ends_at", lambda judged, end: judged < end)


async def test_two_workers_on_one_stay_raise_one_alert(db: Database, desk: NoticeDesk) -> None:
    """A worker taken for dead and the one that replaced it, on the same event at once."""
    await desk.activate("1")
    workers = [Matcher(db), Matcher(db)]
    for _n in range(30):
        event = stay_event(token_of("1"))
        await asyncio.gather(*(worker.read(event) for worker in workers))
    rows = await alert_rows(db)
    assert len(rows) == len({row.stay_id for row in rows}) == 30


async def test_batches_one_after_another_do_not_keep_a_withdrawal_waiting(db: Database, desk: NoticeDesk) -> None:
    """Four workers that always share the lock: the withdrawal is granted in its turn, well within its second."""
    notice = await desk.activate("1")
    done = asyncio.Event()

    async def keep_reading() -> None:
        worker = Matcher(db)
        while not done.is_set():
            async with db.transaction() as tx:
                await worker.keeper.share(tx)
                await tx.execute(sa.select(sa.func.pg_sleep(0.01)))

    readers = [asyncio.create_task(keep_reading()) for _n in range(4)]
    try:
        async with asyncio.timeout(1.0):
            await desk.withdraw(notice)
    finally:
        done.set()
        await asyncio.gather(*readers)
