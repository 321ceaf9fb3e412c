"""Active notices ask again who is here now: all of those and no others, once more and never twice on the board."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.data.db import Database
from chassis.data.tables import audit_entries
from contracts import envelope, topics
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import verifier_from
from services.alerts.storage.tables import alert_changes, alerts, notice_terms, notices
from services.alerts.use_cases.recheck_notices import Rechecked, recheck_notices
from services.alerts.use_cases.suspend_notice import suspend_notice
from tests.service.alerts.conftest import (
    KEYRING,
    PUBLIC,
    Matcher,
    NoticeDesk,
    alert_rows,
    emitted,
    now,
    stay_event,
    token_of,
)
from tests.waiting import until

pytestmark = pytest.mark.postgres

OPERATOR = Officer("operator:root", "", "command-line")


async def recheck(db: Database, after: UUID | None = None, limit: int = 100) -> Rechecked:
    async with db.transaction() as tx:
        return await recheck_notices(tx, after=after, limit=limit, verifier=verifier_from(PUBLIC), by=OPERATOR)


async def asked_for(db: Database) -> list[str]:
    """Notices that asked, by the events in the outbox, in order."""
    return [
        value["notice_id"]
        for type_, value in await emitted(db, topics.ALERTS_NOTICES)
        if type_ == envelope.NOTICE_ACTIVATED
    ]


async def test_active_notices_ask_again_and_no_others(db: Database, desk: NoticeDesk) -> None:
    active = await desk.activate("1")
    await desk.propose("2")
    await desk.activate("3", starts_at=now() + timedelta(days=1))
    suspended = await desk.activate("4")
    async with db.transaction() as tx:
        await suspend_notice(tx, suspended.notice_id, "复核", by=OPERATOR, keyring=KEYRING)
    await desk.withdraw(await desk.activate("5"))
    # Its end passes, and no timer writes that down here.
    await desk.activate("6", ends_at=now() + timedelta(seconds=1))
    ended = now() + timedelta(seconds=1)
    await until(lambda: now() > ended)
    before = await asked_for(db)

    done = await recheck(db)

    assert done == Rechecked([active.notice_id], [], None)
    assert (await asked_for(db))[len(before) :] == [str(active.notice_id)]
    async with db.read() as tx:
        kept = await tx.all(sa.select(audit_entries).where(audit_entries.c.action == "notice.rechecked"))
    assert [(row.actor, row.actor_unit, row.subject) for row in kept] == [
        (OPERATOR.subject, OPERATOR.unit, str(active.notice_id))
    ]


async def test_a_notice_that_nobody_signed_does_not_ask(db: Database, desk: NoticeDesk) -> None:
    """Somebody who can write into the database cannot make registration say where a person is."""
    forged, active = await desk.propose("1"), await desk.activate("2")
    async with db.transaction() as tx:
        stolen = (await tx.all(sa.select(notice_terms).where(notice_terms.c.notice_id == active.notice_id)))[0]
        taken = (
            "approver",
            "approver_name",
            "approver_unit",
            "approved_at",
            "active_since",
            "signing_key",
            "signature",
        )
        mine = sa.update(notice_terms).where(notice_terms.c.notice_id == forged.notice_id)
        await tx.execute(mine.values({name: getattr(stolen, name) for name in taken}))
        row = sa.update(notices).where(notices.c.notice_id == forged.notice_id)
        await tx.execute(row.values(state="active", running_term=1, pending_term=None))
    before = await asked_for(db)
    done = await recheck(db)
    assert (done.asked, done.refused) == ([active.notice_id], [forged.notice_id])
    assert str(forged.notice_id) not in (await asked_for(db))[len(before) :]


async def test_pages_meet_every_notice_once(db: Database, desk: NoticeDesk) -> None:
    wanted = [(await desk.activate(str(number))).notice_id for number in range(5)]
    met: list[UUID] = []
    after = None
    while True:
        page = await recheck(db, after, limit=2)
        met += page.asked
        after = page.after
        if after is None:
            break
    assert sorted(met) == sorted(wanted)


async def test_a_lost_alert_comes_back_and_one_that_is_there_stays_one(
    db: Database, desk: NoticeDesk, matcher: Matcher
) -> None:
    """What registration answers raises what a restore lost; asking twice raises nothing more."""
    await desk.activate("1")
    kept, lost = uuid4(), uuid4()
    await matcher.read(stay_event(token_of("1"), kept), stay_event(token_of("1"), lost))
    async with db.transaction() as tx:
        gone = sa.select(alerts.c.alert_id).where(alerts.c.stay_id == lost)
        await tx.execute(sa.delete(alert_changes).where(alert_changes.c.alert_id.in_(gone)))
        await tx.execute(sa.delete(alerts).where(alerts.c.stay_id == lost))
    for _ in range(2):
        await recheck(db)
        await matcher.read(*(stay_event(token_of("1"), each, type_=envelope.PERSON_PRESENT) for each in (kept, lost)))
    assert sorted(row.stay_id for row in await alert_rows(db)) == sorted([kept, lost])
