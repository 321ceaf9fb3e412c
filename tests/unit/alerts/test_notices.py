"""The life of a notice: who may approve what, and what the clock does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.alerts.domain import notices
from services.alerts.domain.matching import live
from services.alerts.domain.notices import (
    ContentChanged,
    NothingToApprove,
    NoticeState,
    NotYourUnit,
    OwnNotice,
    SameUnit,
    Why,
    WrongNoticeState,
)
from services.alerts.domain.officers import Officer
from services.alerts.domain.signatures import BadSignature
from tests.unit.alerts.makers import APPROVER, AUTHOR, COLLEAGUE, NOW, SIGNER, VERIFIER, active, approve, content

DAY = timedelta(days=1)


def test_approval_by_another_unit_makes_it_active_at_once() -> None:
    """A start in the past: active from the approval on."""
    notice = active(starts_at=NOW - timedelta(hours=3))
    assert notice.state is NoticeState.ACTIVE
    assert notice.activated_at == NOW


def test_a_later_start_is_scheduled_and_started_by_the_clock() -> None:
    """Scheduled until starts_at, active from that very moment."""
    start = NOW + timedelta(hours=1)
    notice = active(starts_at=start)
    assert notice.state is NoticeState.SCHEDULED
    assert notice.activated_at == start
    assert notices.advance(notice, start - timedelta(microseconds=1)).state is NoticeState.SCHEDULED
    assert notices.advance(notice, start).state is NoticeState.ACTIVE


@pytest.mark.parametrize(
    ("approver", "refusal"),
    [(AUTHOR, OwnNotice), (COLLEAGUE, SameUnit), (replace(AUTHOR, unit="notice-desk-02"), OwnNotice)],
)
def test_neither_the_author_nor_their_unit_approves(approver: Officer, refusal: type[Exception]) -> None:
    """Two people of two units, whatever else they are."""
    proposed = notices.propose(content(), AUTHOR, NOW)
    with pytest.raises(refusal):
        notices.approve(proposed, approver, proposed.latest.content.hash(), NOW)
    assert not notices.may_decide(proposed, approver)


def test_approval_is_of_the_hash_that_was_shown() -> None:
    """Another hash is refused, nothing happens."""
    proposed = notices.propose(content(), AUTHOR, NOW)
    with pytest.raises(ContentChanged):
        notices.approve(proposed, APPROVER, content().hash(), NOW)


def test_nothing_is_approved_twice_or_after_the_end() -> None:
    """Once approved, or ended before: nothing waits."""
    notice = active()
    with pytest.raises(NothingToApprove):
        notices.approve(notice, APPROVER, notice.latest.content.hash(), NOW)
    withdrawn = notices.withdraw(notices.propose(content(), AUTHOR, NOW), AUTHOR, Why.WITHDRAWN)
    with pytest.raises(NothingToApprove):
        notices.approve(withdrawn, APPROVER, withdrawn.latest.content.hash(), NOW)


def test_expiry_is_at_the_end_itself() -> None:
    """Active to the last microsecond, expired from ends_at on; a suspended or proposed one as well."""
    notice = active()
    end = notice.ends_at
    assert notices.advance(notice, end - timedelta(microseconds=1)).state is NoticeState.ACTIVE
    for one in (notice, notices.suspend(notice), notices.propose(content(), AUTHOR, NOW)):
        ended = notices.advance(one, end)
        assert (ended.state, ended.why) == (NoticeState.ENDED, Why.EXPIRED)


def test_only_the_authors_unit_withdraws_and_only_once() -> None:
    """A colleague may; another unit may not; an ended notice stays as it ended."""
    notice = active()
    with pytest.raises(NotYourUnit):
        notices.withdraw(notice, APPROVER, Why.WITHDRAWN)
    ended = notices.withdraw(notice, COLLEAGUE, Why.CARRIED_OUT)
    assert (ended.state, ended.why) == (NoticeState.ENDED, Why.CARRIED_OUT)
    with pytest.raises(WrongNoticeState):
        notices.withdraw(ended, AUTHOR, Why.WITHDRAWN)


def test_a_renewal_is_a_new_approval_and_the_old_term_runs_on() -> None:
    """The end moves with the approval, and the notice was active without a break."""
    notice = active()
    renewal = notices.renewed_content(notice, COLLEAGUE, NOW + 150 * DAY)
    waiting = notices.renew(notice, renewal, COLLEAGUE, NOW + DAY)
    assert waiting.state is NoticeState.ACTIVE
    assert waiting.ends_at == notice.ends_at
    assert waiting.latest.content.hash() != notice.latest.content.hash()
    renewed = approve(waiting, NOW + 2 * DAY)
    assert renewed.ends_at == NOW + 150 * DAY
    assert renewed.activated_at == NOW
    assert renewed.pending is None


def test_a_renewal_that_waits_ends_with_its_notice() -> None:
    """Nobody can approve it any more."""
    notice = active()
    waiting = notices.renew(notice, notices.renewed_content(notice, AUTHOR, NOW + 150 * DAY), AUTHOR, NOW + DAY)
    ended = notices.advance(waiting, notice.ends_at)
    assert ended.state is NoticeState.ENDED
    with pytest.raises(NothingToApprove):
        notices.approve(ended, APPROVER, ended.latest.content.hash(), notice.ends_at)


def test_a_proposal_and_an_ended_notice_cannot_be_renewed_and_not_by_others() -> None:
    """Renewal is for what runs, by the author's unit."""
    proposed = notices.propose(content(), AUTHOR, NOW)
    for one in (proposed, notices.withdraw(proposed, AUTHOR, Why.REPLACED)):
        with pytest.raises(WrongNoticeState):
            notices.renew(one, notices.renewed_content(one, AUTHOR, NOW + 150 * DAY), AUTHOR, NOW)
    with pytest.raises(NotYourUnit):
        notices.renew(active(), content(), APPROVER, NOW)


def test_lifting_is_a_new_activation() -> None:
    """What was recorded during the suspension is not met, save for the clocks' tolerance."""
    suspended = notices.suspend(active())
    assert live(suspended, VERIFIER) is None
    lifted = notices.lift(suspended, NOW + 3 * DAY)
    assert lifted.state is NoticeState.ACTIVE
    assert lifted.activated_at == NOW + 3 * DAY
    with pytest.raises(WrongNoticeState):
        notices.lift(lifted, NOW)
    with pytest.raises(WrongNoticeState):
        notices.suspend(suspended)


def test_a_renewal_approved_during_a_suspension_stays_suspended() -> None:
    """An approval does not lift what the overseer suspended."""
    notice = notices.suspend(active())
    waiting = notices.renew(notice, notices.renewed_content(notice, AUTHOR, NOW + 150 * DAY), AUTHOR, NOW + DAY)
    assert approve(waiting, NOW + 2 * DAY).state is NoticeState.SUSPENDED


@pytest.mark.parametrize(
    "forge",
    [
        lambda n: replace(n, running=replace(n.running, content=replace(n.running.content, token=content().token))),
        lambda n: replace(n, running=replace(n.running, signature=None)),
        lambda n: replace(n, running=replace(n.running, approval=None)),
        lambda n: replace(n, running=None, pending=n.running),
        lambda n: replace(n, notice_id=content().notice_id),
        lambda n: replace(
            n, running=replace(n.running, content=replace(n.running.content, ends_at=n.ends_at + 365 * DAY))
        ),
        lambda n: replace(
            n, running=replace(n.running, approval=replace(n.running.approval, active_since=NOW - 365 * DAY))
        ),
        lambda n: replace(
            n, running=replace(n.running, signature=replace(SIGNER.sign(b"something else"), key_id="sign-1"))
        ),
        lambda n: replace(n, running=replace(n.running, signature=replace(n.running.signature, key_id="sign-2"))),
    ],
)
def test_a_notice_that_was_changed_by_hand_is_never_live(forge: Any) -> None:
    """Any difference from what was signed, and a signature by another key, is refused when it is loaded."""
    notice = active(token=replace(content().token, value="another-persons-token"))
    assert live(notice, VERIFIER) is not None
    with pytest.raises(BadSignature):
        live(forge(notice), VERIFIER)


def test_a_signed_approval_by_the_authors_own_unit_is_never_live() -> None:
    """The rule of two units is checked again behind the signature."""
    proposed = notices.propose(content(), AUTHOR, NOW)
    approval = replace(notices.approve(proposed, APPROVER, proposed.latest.content.hash(), NOW), approver=COLLEAGUE)
    forged = notices.approved(proposed, approval, SIGNER.sign(approval.statement()))
    with pytest.raises(BadSignature):
        live(forged, VERIFIER)
