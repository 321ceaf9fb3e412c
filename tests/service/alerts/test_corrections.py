"""Corrections of stays: an alert is retracted, holds again, moves, or keeps what an officer decided."""

from uuid import uuid4

import pytest

from chassis.data.db import Database
from contracts import envelope, topics
from services.alerts.domain.alerts import Outcome
from services.alerts.domain.officers import Officer
from services.alerts.use_cases.acknowledge_alert import acknowledge_alert
from services.alerts.use_cases.close_alert import close_alert
from tests.service.alerts.conftest import (
    KEYRING,
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
