"""The matcher on a real database: what raises, what retracts, what leaves no trace."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from contracts import envelope, topics
from services.alerts.domain.alerts import Outcome
from services.alerts.domain.notices import Notice, NoticeState, Why
from services.alerts.domain.officers import Officer
from services.alerts.storage import notice_store
from services.alerts.storage.tables import alert_changes, notice_terms, notice_version, notices
from services.alerts.use_cases import queries
from services.alerts.use_cases.acknowledge_alert import acknowledge_alert
from services.alerts.use_cases.advance_notice import advance_notice
from services.alerts.use_cases.close_alert import close_alert
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
    emitted,
    now,
    raw_record,
    stay_event,
    token_of,
)

pytestmark = pytest.mark.postgres

OVERSEER = Officer("overseer", "周五", "oversight")
DUTY = Officer("duty", "张六", "command-centre")


async def changes_of(db: Database, alert_id: UUID) -> list[tuple[str, str | None]]:
    """An alert's history: change and detail."""
    async with db.read() as tx:
        rows = await tx.all(
            sa.select(alert_changes).where(alert_changes.c.alert_id == alert_id).order_by(alert_changes.c.position)
        )
    return [(row.change, row.detail) for row in rows]


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


async def test_a_correction_retracts_and_another_lets_it_hold_again(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """Document corrected to another number and back, with repeats of what came before."""
    await desk.activate("1")
    stay = uuid4()
    arrived = stay_event(token_of("1"), stay)
    away = stay_event(token_of("2"), stay, type_=envelope.STAY_CORRECTED)
    back = stay_event(token_of("1"), stay, type_=envelope.STAY_CORRECTED)
    await matcher.read(arrived, away)
    (row,) = await alert_rows(db)
    assert (row.state, row.due_at) == ("retracted", None)
    await matcher.read(arrived)
    assert (await alert_rows(db))[0].state == "retracted"
    await matcher.read(back, away, arrived)
    (row,) = await alert_rows(db)
    assert row.state == "new"
    assert await changes_of(db, row.alert_id) == [
        ("raised", None),
        ("retracted", None),
        ("reopened", "match_holds_again"),
    ]
    types = [type_ for type_, _value in await emitted(db, topics.ALERTS_ALERTS)]
    assert types == [envelope.ALERT_RAISED, envelope.ALERT_RETRACTED, envelope.ALERT_REOPENED]


async def test_a_correction_raises_for_the_number_it_brings(db: Database, desk: NoticeDesk, matcher: Matcher) -> None:
    """Two notices: the one on the wrong number is retracted, the one on the right number raised."""
    wrong, right = await desk.activate("1"), await desk.activate("2")
    stay = uuid4()
    await matcher.read(stay_event(token_of("1"), stay))
    await matcher.read(stay_event(token_of("2"), stay, type_=envelope.STAY_CORRECTED))
    assert {row.notice_id: row.state for row in await alert_rows(db)} == {
        wrong.notice_id: "retracted",
        right.notice_id: "new",
    }


async def test_a_closed_alert_keeps_its_state_and_notes_the_correction(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """An officer's decision stands; the history says what became known later."""
    await desk.activate("1")
    stay = uuid4()
    await matcher.read(stay_event(token_of("1"), stay))
    (row,) = await alert_rows(db)
    async with db.transaction() as tx:
        await close_alert(tx, row.alert_id, Outcome.TEST, "演练", by=DUTY, keyring=KEYRING)
    await matcher.read(stay_event(token_of("2"), stay, type_=envelope.STAY_CORRECTED))
    (row,) = await alert_rows(db)
    assert row.state == "closed"
    assert (await changes_of(db, row.alert_id))[-1] == ("correction_noted", "match_broken")


async def test_a_correction_of_the_room_moves_the_alert(db: Database, desk: NoticeDesk, matcher: Matcher) -> None:
    """The officer goes to the right door."""
    await desk.activate("1")
    stay = uuid4()
    await matcher.read(stay_event(token_of("1"), stay))
    await matcher.read(stay_event(token_of("1"), stay, type_=envelope.STAY_CORRECTED, room="0911"))
    (row,) = await alert_rows(db)
    assert (row.state, row.room) == ("new", "0911")
    assert [change for change, _ in await changes_of(db, row.alert_id)] == ["raised", "moved"]


async def test_an_ended_notices_alert_is_still_retracted_but_never_revived(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """The event behind it was corrected, whatever has become of the notice."""
    notice = await desk.activate("1")
    stay = uuid4()
    await matcher.read(stay_event(token_of("1"), stay))
    await desk.withdraw(notice)
    await matcher.read(stay_event(token_of("2"), stay, type_=envelope.STAY_CORRECTED))
    assert (await alert_rows(db))[0].state == "retracted"
    await matcher.read(stay_event(token_of("1"), stay, type_=envelope.STAY_CORRECTED))
    assert (await alert_rows(db))[0].state == "retracted"


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
    soon = await desk.activate("1", starts_at=now() + timedelta(seconds=0.4), ends_at=now() + timedelta(seconds=0.9))
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


@pytest.mark.parametrize(
    ("value", "type_", "reason"),
    [
        (b"not json", envelope.PERSON_ARRIVED, "invalid-value"),
        (b"[]", envelope.PERSON_ARRIVED, "invalid-value"),
        (b"7", envelope.PERSON_ARRIVED, "invalid-value"),
        (b'{"stay_id": "x"}', envelope.PERSON_ARRIVED, "invalid-value"),
        (b"", envelope.PERSON_DEPARTED, "invalid-value"),
        (b"{}", "anju.registration.person-arrived.v9", "unknown-type"),
        (b"{}", "", "unknown-type"),
    ],
)
async def test_a_broken_record_is_told_and_the_rest_goes_on(
    db: Database, desk: NoticeDesk, matcher: Matcher, value: bytes, type_: str, reason: str
) -> None:
    """A reason that says nothing of the record; what stands beside it is matched."""
    await desk.activate("1")
    broken = raw_record(value, type_=type_)
    assert await matcher.read(stay_event(token_of("1")), broken, stay_event(token_of("1"))) == [reason]
    assert len(await alert_rows(db)) == 2


@pytest.mark.parametrize(
    "field",
    [
        {"token": {"key_id": "m1"}},
        {"token": "token"},
        {"token": {"key_id": "m1", "value": ["x"]}},
        {"token": {"key_id": 1, "value": token_of("1").value}},
        {"recorded_at": "yesterday", "token": {"key_id": "m1", "value": token_of("1").value}},
        {"stay_id": 7, "token": {"key_id": "m1", "value": token_of("1").value}},
    ],
)
async def test_a_record_with_one_bad_field_is_broken(
    db: Database, desk: NoticeDesk, matcher: Matcher, field: dict[str, object]
) -> None:
    """Also deeper inside, when it would have matched."""
    await desk.activate("1")
    good = json.loads(stay_event(token_of("1")).value)
    assert await matcher.read(raw_record(json.dumps(good | field).encode())) == ["invalid-value"]
    assert await alert_rows(db) == []


async def test_what_matches_nothing_leaves_no_trace_in_the_database(
    db: Database, desk: NoticeDesk, matcher: Matcher, dsn: str
) -> None:
    """300 arrivals, departures and corrections of strangers: every table is byte for byte as it was."""
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    before = await _everything(db)
    strangers = [
        stay_event(token_of(f"stranger {n}"), type_=type_)
        for n in range(100)
        for type_ in (envelope.PERSON_ARRIVED, envelope.STAY_CORRECTED, envelope.PERSON_DEPARTED)
    ]
    assert await matcher.read(*strangers) == []
    assert await _everything(db) == before


async def _everything(db: Database) -> dict[str, str]:
    """A digest of each table's rows."""
    async with db.read() as tx:
        tables = [
            row.tablename
            for row in await tx.all(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        ]
        return {
            name: str(await tx.scalar(sa.text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t")))
            for name in tables
        }


async def test_owner_and_clock_of_a_retracted_alert_begin_anew(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """An officer had it; after retraction and return it waits for anybody."""
    await desk.activate("1")
    stay = uuid4()
    await matcher.read(stay_event(token_of("1"), stay))
    (row,) = await alert_rows(db)
    async with db.transaction() as tx:
        await acknowledge_alert(tx, row.alert_id, None, by=DUTY, keyring=KEYRING)
    await matcher.read(
        stay_event(token_of("2"), stay, type_=envelope.STAY_CORRECTED),
        stay_event(token_of("1"), stay, type_=envelope.STAY_CORRECTED),
    )
    (row,) = await alert_rows(db)
    assert (row.state, row.owner) == ("new", None)
    assert row.due_at > now()
