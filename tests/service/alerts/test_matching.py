"""The matcher on a real database: what raises an alert, and when."""

from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from contracts import envelope, topics
from services.alerts.domain.notices import Notice, NoticeState, Why
from services.alerts.domain.officers import Officer
from services.alerts.storage import notice_store
from services.alerts.storage.tables import notice_terms, notice_version, notices
from services.alerts.use_cases import queries
from services.alerts.use_cases.advance_notice import advance_notice
from services.alerts.use_cases.lift_suspension import lift_suspension
from services.alerts.use_cases.renew_notice import renew_notice
from services.alerts.use_cases.suspend_notice import suspend_notice
from tests.service.alerts.conftest import (
    AUTHOR,
    DISTRICT,
    KEYRING,
    PACKS,
    Matcher,
    NoticeDesk,
    alert_rows,
    changes_of,
    emitted,
    now,
    stay_event,
    token_of,
)

pytestmark = pytest.mark.postgres

OVERSEER = Officer("overseer", "周五", "oversight")
DUTY = Officer("duty", "张六", "command-centre")


async def test_a_match_is_one_alert_with_history_stream_and_event(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """The whole of it: row, number, clock, first entry `raised`, and `alert-raised` for registration."""
    notice = await desk.activate("1")
    stay = uuid4()
    await matcher.read(stay_event(token_of("2")), stay_event(token_of("1"), stay), stay_event(None))
    (row,) = await alert_rows(db)
    assert (row.notice_id, row.stay_id, row.kind, row.severity, row.state) == (
        notice.notice_id,
        stay,
        "wanted",
        "critical",
        "new",
    )
    assert row.due_at - row.raised_at == timedelta(seconds=60)
    assert row.serial == 1
    assert await changes_of(db, row.alert_id) == [("raised", None)]
    ((type_, value),) = await emitted(db, topics.ALERTS_ALERTS)
    assert type_ == envelope.ALERT_RAISED
    assert {name: value[name] for name in ("alert_id", "stay_id", "state")} == {
        "alert_id": str(row.alert_id),
        "stay_id": str(stay),
        "state": "new",
    }
    assert set(value) == {"alert_id", "stay_id", "state", "occurred_at"}


async def test_repeats_reordering_and_a_second_worker_raise_nothing_more(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """The same event ten times, in two batches and by two workers, and registration's answer beside it."""
    await desk.activate("1")
    stay = uuid4()
    event = stay_event(token_of("1"), stay)
    present = stay_event(token_of("1"), stay, type_=envelope.PERSON_PRESENT)
    await matcher.read(present, *[event] * 5)
    await Matcher(db).read(*[event] * 5, present)
    assert len(await alert_rows(db)) == 1


async def test_two_notices_on_one_document_are_two_alerts(db: Database, desk: NoticeDesk, matcher: Matcher) -> None:
    """One per notice and stay."""
    await desk.activate("1")
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    rows = await alert_rows(db)
    assert [row.serial for row in rows] == [1, 2]
    assert len({row.notice_id for row in rows}) == 2


async def test_a_departure_and_an_old_event_raise_nothing(db: Database, desk: NoticeDesk, matcher: Matcher) -> None:
    """The past is never searched: five minutes for clocks that differ, and no more."""
    notice = await desk.activate("1")
    assert notice.activated_at is not None
    old = notice.activated_at - timedelta(minutes=5, seconds=1)
    await matcher.read(
        stay_event(token_of("1"), type_=envelope.PERSON_DEPARTED, ended_at=now().isoformat()),
        stay_event(token_of("1"), recorded_at=old),
        stay_event(token_of("1"), ended_at=old.isoformat()),
    )
    assert await alert_rows(db) == []
    await matcher.read(stay_event(token_of("1"), recorded_at=old + timedelta(seconds=2)))
    assert len(await alert_rows(db)) == 1


async def test_a_notice_meets_nothing_before_approval_during_suspension_and_after_its_end(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """Each state of the notice, one arrival each."""
    notice = await desk.propose("1")
    await matcher.read(stay_event(token_of("1")))
    await desk.approve(notice)
    async with db.transaction() as tx:
        await suspend_notice(tx, notice.notice_id, "误报过多", by=OVERSEER, keyring=KEYRING)
    await matcher.read(stay_event(token_of("1")))
    assert await alert_rows(db) == []
    async with db.transaction() as tx:
        lifted = await lift_suspension(tx, notice.notice_id, "已复核", by=OVERSEER, keyring=KEYRING)
    await matcher.read(stay_event(token_of("1")))
    assert len(await alert_rows(db)) == 1
    await desk.withdraw(lifted)
    await matcher.read(stay_event(token_of("1")))
    assert len(await alert_rows(db)) == 1
    types = [type_ for type_, _value in await emitted(db, topics.ALERTS_NOTICES)]
    assert types == [
        envelope.NOTICE_ACTIVATED,
        envelope.NOTICE_ENDED,
        envelope.NOTICE_ACTIVATED,
        envelope.NOTICE_ENDED,
    ]


async def test_start_and_end_count_at_the_match_and_the_timer_writes_them_down_once(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """Before its row says so, a started notice matches and an ended one does not."""
    soon = await desk.activate("1", starts_at=now() + timedelta(seconds=2), ends_at=now() + timedelta(seconds=6))
    assert soon.state is NoticeState.SCHEDULED
    await matcher.read(stay_event(token_of("1")))
    assert await alert_rows(db) == []
    await _database_reaches(db, soon, "starts_at")
    await matcher.read(stay_event(token_of("1")))
    assert len(await alert_rows(db)) == 1
    async with db.read() as tx:
        assert list(await queries.due_notices(tx)) == [soon.notice_id]
    await _advance(db, soon, twice=True)
    await _database_reaches(db, soon, "ends_at")
    await matcher.read(stay_event(token_of("1")))
    assert len(await alert_rows(db)) == 1
    await _advance(db, soon, twice=True)
    async with db.read() as tx:
        ended = (await queries.read_notice(tx, soon.notice_id)).notice
        assert list(await queries.due_notices(tx)) == []
    assert (ended.state, ended.why) == (NoticeState.ENDED, Why.EXPIRED)
    types = [type_ for type_, _value in await emitted(db, topics.ALERTS_NOTICES)]
    assert types == [envelope.NOTICE_ACTIVATED, envelope.NOTICE_ENDED]


async def _advance(db: Database, notice: Notice, *, twice: bool) -> None:
    for _time in range(1 + twice):
        async with db.transaction() as tx:
            await advance_notice(tx, notice.notice_id, keyring=KEYRING)


async def _database_reaches(db: Database, notice: Notice, edge: str) -> None:
    """Wait, in the database, until its clock has passed an edge of the notice's term."""
    at = getattr(notice.latest.content, edge)
    async with db.transaction() as tx:
        await tx.execute(
            sa.select(sa.func.pg_sleep(sa.func.greatest(0, sa.extract("epoch", at - sa.func.clock_timestamp()))))
        )
        assert await tx.database_time() >= at


async def test_a_renewed_notice_goes_on_matching_through_both_terms(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """While the renewal waits the old term runs; after its approval the new one, with no break between."""
    notice = await desk.activate("1")
    recorded = now()
    async with db.transaction() as tx:
        waiting = await renew_notice(
            tx, notice.notice_id, now() + timedelta(days=60), by=AUTHOR, keyring=KEYRING, packs=PACKS, district=DISTRICT
        )
    await matcher.read(stay_event(token_of("1")))
    renewed = await desk.approve(waiting)
    assert renewed.activated_at == notice.activated_at
    await matcher.read(stay_event(token_of("1"), recorded_at=recorded))
    assert len(await alert_rows(db)) == 2


async def test_a_row_put_into_the_database_by_hand_never_matches(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """An approved notice made to name somebody else: token and hash changed, signature kept; also after a restart."""
    notice = await desk.activate("1")
    other = notice.latest.content.canonical().decode().replace(token_of("1").value, token_of("2").value)
    async with db.transaction() as tx:
        await tx.execute(sa.update(notice_terms).values(content=other))
        await tx.execute(sa.update(notice_version).values(version=notice_version.c.version + 1))
        await tx.execute(sa.update(notices).values(version=sa.select(notice_version.c.version).scalar_subquery()))
    for worker in (matcher, Matcher(db)):
        await worker.read(stay_event(token_of("2")), stay_event(token_of("1")))
    assert await alert_rows(db) == []


async def test_a_proposal_made_active_by_hand_never_matches(db: Database, desk: NoticeDesk, matcher: Matcher) -> None:
    """Without a signed approval there is nothing to load."""
    notice = await desk.propose("1")
    async with db.transaction() as tx:
        await tx.execute(sa.update(notices).values(state="active", running_term=1, pending_term=None))
    await matcher.read(stay_event(token_of("1")))
    assert notice.notice_id not in matcher.keeper.watchlist.by_id
    assert await alert_rows(db) == []


async def test_a_look_that_began_earlier_takes_nothing_back(db: Database, desk: NoticeDesk, matcher: Matcher) -> None:
    """The watch on notices may see an older version than a batch that overtook it."""
    await desk.activate("1")
    async with db.read() as earlier:
        await notice_store.look_at_version(earlier)
        notice = await desk.activate("2")
        await matcher.read(stay_event(token_of("3")))
        assert notice.notice_id in matcher.keeper.watchlist.by_id
        await matcher.keeper.look(earlier)
    assert notice.notice_id in matcher.keeper.watchlist.by_id


async def test_a_database_that_went_back_makes_the_watchlist_start_anew(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """What is in memory may never have been."""
    await desk.activate("1")
    await desk.activate("2")
    await matcher.read(stay_event(token_of("3")))
    async with db.transaction() as tx:
        await tx.execute(sa.delete(notices).where(notices.c.notice_id.in_([])))
        await tx.execute(sa.update(notices).where(notices.c.version > 2).values(state="ended", why="withdrawn"))
        await tx.execute(sa.update(notice_version).values(version=2))
    await matcher.read(stay_event(token_of("2")), stay_event(token_of("1")))
    assert len(await alert_rows(db)) == 1
