"""The matching rule, alone and against a naive model with late, repeated and reordered events."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.alerts.domain import notices
from services.alerts.domain.contents import Token
from services.alerts.domain.matching import (
    TOLERANCE,
    LiveNotice,
    Standing,
    StayChange,
    StayEvent,
    Verdict,
    decide,
    live,
    matches,
)
from services.alerts.domain.notices import Notice, NoticeState
from tests.unit.alerts.makers import AUTHOR, NOW, VERIFIER, active, approve, arrival

TICK = timedelta(microseconds=1)


def _live(notice: Notice) -> LiveNotice:
    made = live(notice, VERIFIER)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("changes", "at", "expected"),
    [
        ({}, NOW, True),
        ({}, NOW - TICK, False),  # before the start
        ({}, NOW + timedelta(days=90) - TICK, True),
        ({}, NOW + timedelta(days=90), False),  # the end itself is over
        ({"recorded_at": NOW - TOLERANCE}, NOW, True),
        ({"recorded_at": NOW - TOLERANCE - TICK}, NOW, False),  # the past is never searched
        ({"ended_at": NOW - TOLERANCE}, NOW, True),
        ({"ended_at": NOW - TOLERANCE - TICK}, NOW, False),
        ({"token": None}, NOW, False),
        ({"token": Token("match-2", "token-of-somebody-invented")}, NOW, False),  # another key's value
        ({"change": StayChange.DEPARTED}, NOW, False),
        ({"change": StayChange.CORRECTED}, NOW, True),
        ({"change": StayChange.PRESENT}, NOW, True),
    ],
)
def test_the_rule(changes: dict[str, object], at: datetime, expected: bool) -> None:
    """Each edge of the rule, one at a time."""
    notice = _live(active())
    assert matches(notice, replace(arrival(notice.token), **changes), at) is expected  # type: ignore[arg-type]


def test_a_start_counts_as_activation_before_its_timer_ticked() -> None:
    """Scheduled in the row, started by the clock: the match is by the clock."""
    start = NOW + timedelta(hours=1)
    notice = active(starts_at=start)
    assert notice.state is NoticeState.SCHEDULED
    event = arrival(_live(notice).token, recorded_at=start)
    assert matches(_live(notice), event, start)
    assert not matches(_live(notice), event, start - TICK)
    assert not matches(_live(notice), replace(event, recorded_at=start - TOLERANCE - TICK), start)


def test_an_arrival_of_the_old_term_matches_after_the_renewal() -> None:
    """Renewed while active: an arrival that is read late is not lost."""
    notice = active()
    waiting = notices.renew(
        notice, notices.renewed_content(notice, AUTHOR, NOW + timedelta(days=150)), AUTHOR, NOW + timedelta(days=1)
    )
    renewed = _live(approve(waiting, NOW + timedelta(days=2)))
    assert matches(renewed, arrival(renewed.token, NOW + timedelta(days=1)), NOW + timedelta(days=2))


@dataclass
class Known:
    """The model's memory of one alert: what was said of its stay, newest last."""

    holds: bool
    newest: datetime


TOKENS = [Token("match-1", f"token-number-{n}-of-nobody") for n in range(3)]


class Matching(RuleBasedStateMachine):
    """One stay, three notices, events in any order and number; the model keeps lists and reads the rule's words."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW
        # Two notices on one document, one on another.
        self.rows = {notice.notice_id: notice for notice in (active(token=TOKENS[n]) for n in (0, 0, 1))}
        self.raised: list[UUID] = []
        self.standings: dict[UUID, Standing] = {}
        self.model: dict[UUID, Known] = {}
        self.sent: list[StayEvent] = []

    def _live(self) -> dict[UUID, LiveNotice]:
        found = {key: live(notice, VERIFIER) for key, notice in self.rows.items()}
        return {key: notice for key, notice in found.items() if notice is not None}

    def _read(self, event: StayEvent) -> None:
        """Read an event as the service does, and as the model does, and keep both."""
        known = self._live()
        same = [notice for notice in known.values() if notice.token == event.token]
        self._model(event)
        decision = decide(event, self.standings, known, same, self.at)
        for notice_id, verdict in decision.verdicts.items():
            before = self.standings[notice_id]
            if verdict is not Verdict.OLD:
                holds = verdict in (Verdict.STILL_HOLDS, Verdict.HOLDS_AGAIN)
                self.standings[notice_id] = replace(before, holds=holds, recorded_at=event.recorded_at)
        for notice in decision.raised:
            self.raised.append(notice.notice_id)
            self.standings[notice.notice_id] = Standing(notice.token, True, event.recorded_at)

    def _model(self, event: StayEvent) -> None:
        """product.md, said again with row data only: no signature, no live notice, no standing."""
        if event.change is StayChange.DEPARTED:
            return
        newest = max((known.newest for known in self.model.values()), default=None)
        late = newest is not None and event.recorded_at < newest
        for notice_id, row in self.rows.items():
            assert row.running is not None
            assert row.activated_at is not None
            content = row.running.content
            runs = row.state in (NoticeState.ACTIVE, NoticeState.SCHEDULED)
            in_time = content.starts_at <= self.at < content.ends_at
            reach = row.activated_at - timedelta(minutes=5)
            recent = event.recorded_at >= reach and not (event.ended_at and event.ended_at < reach)
            meets = runs and in_time and recent and event.token == content.token
            known = self.model.get(notice_id)
            if known is None:
                if meets and not late:
                    self.model[notice_id] = Known(True, event.recorded_at)
            elif event.recorded_at >= known.newest:
                known.newest = event.recorded_at
                known.holds = event.token == content.token and (known.holds or meets)

    @rule(
        change=st.sampled_from(StayChange),
        token=st.sampled_from([None, *TOKENS]),
        back=st.integers(0, 20),
        ended=st.one_of(st.none(), st.integers(0, 20)),
    )
    def send(self, change: StayChange, token: Token | None, back: int, ended: int | None) -> None:
        """An event recorded up to 20 minutes ago, of a stay that may have ended."""
        self.at += timedelta(seconds=1)
        recorded = self.at - timedelta(minutes=back)
        ended_at = None if ended is None else self.at - timedelta(minutes=ended)
        event = arrival(token, recorded, change=change, ended_at=ended_at, stay_id=UUID(int=9))
        self.sent.append(event)
        self._read(event)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Any event so far once more: a rewound offset, a replayed dead letter."""
        if self.sent:
            self._read(data.draw(st.sampled_from(self.sent)))

    @rule(minutes=st.sampled_from([1, 4, 6, 60 * 24 * 45]))
    def wait(self, minutes: int) -> None:
        """Time passes; terms may end."""
        self.at += timedelta(minutes=minutes)
        self.rows = {key: notices.advance(notice, self.at) for key, notice in self.rows.items()}

    @rule(which=st.integers(0, 2))
    def suspend_or_lift(self, which: int) -> None:
        """The overseer suspends a notice, or lifts it."""
        key, notice = list(self.rows.items())[which]
        if notice.state is NoticeState.SUSPENDED:
            self.rows[key] = notices.lift(notice, self.at)
        elif notice.state is not NoticeState.ENDED:
            self.rows[key] = notices.suspend(notice)

    @invariant()
    def one_alert_per_notice_and_stay(self) -> None:
        """Nothing is raised twice, and service and model know the same alerts in the same condition."""
        assert len(self.raised) == len(set(self.raised))
        ours = {key: (standing.holds, standing.recorded_at) for key, standing in self.standings.items()}
        assert ours == {key: (known.holds, known.newest) for key, known in self.model.items()}


Matching.TestCase.settings = settings(max_examples=80, stateful_step_count=30)
TestMatching = Matching.TestCase


@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=4))
@settings(max_examples=60)
def test_once_an_alert_is_there_the_order_of_what_follows_does_not_matter(order: list[int], again: list[int]) -> None:
    """Corrections to and fro, reordered and repeated: the newest one decides."""
    notice = _live(active())
    other = Token("match-1", "token-of-another-nobody")
    tokens = [other, notice.token, None, notice.token]
    events = [
        arrival(token, NOW + timedelta(minutes=n + 1), change=StayChange.CORRECTED) for n, token in enumerate(tokens)
    ]
    standings = {notice.notice_id: Standing(notice.token, True, NOW)}
    for n in [*order, *again]:
        decision = decide(events[n], standings, {notice.notice_id: notice}, [notice], NOW + timedelta(minutes=9))
        assert decision.raised == ()
        verdict = decision.verdicts[notice.notice_id]
        if verdict is not Verdict.OLD:
            holds = verdict in (Verdict.STILL_HOLDS, Verdict.HOLDS_AGAIN)
            standings = {notice.notice_id: Standing(notice.token, holds, events[n].recorded_at)}
    assert standings[notice.notice_id].holds
