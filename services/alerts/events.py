"""Turns what happened to notices and alerts into the events that registration and departments read."""

from datetime import datetime

from chassis.events.outbox import Emission
from contracts import envelope, topics
from contracts import statistics as contract
from contracts.alerts import (
    AlertAcknowledgedV1,
    AlertClosedV1,
    AlertEventV1,
    AlertRaisedV1,
    AlertReopenedV1,
    AlertRetractedV1,
    AlertsStatisticsV1,
    AlertState,
    AlertVerifiedV1,
    CaseHazardV1,
    FireCaseState,
    FireCaseV1,
    ImminentHazardOccupiedClearedV1,
    ImminentHazardOccupiedV1,
    NoticeActivatedV1,
    NoticeEnd,
    NoticeEndedV1,
)
from contracts.housing import HazardSeverity
from contracts.registration import MatchingTokenV1
from services.alerts.domain.alerts import Alert, Change, Source
from services.alerts.domain.cases import FireCase
from services.alerts.domain.notices import Notice, NoticeState
from services.alerts.domain.statistics import DayCounts

_PUBLISHED: dict[Change, tuple[str, type[AlertEventV1]]] = {
    Change.RAISED: (envelope.ALERT_RAISED, AlertRaisedV1),
    Change.ACKNOWLEDGED: (envelope.ALERT_ACKNOWLEDGED, AlertAcknowledgedV1),
    Change.VERIFIED: (envelope.ALERT_VERIFIED, AlertVerifiedV1),
    Change.CLOSED: (envelope.ALERT_CLOSED, AlertClosedV1),
    Change.REOPENED: (envelope.ALERT_REOPENED, AlertReopenedV1),
    Change.RETRACTED: (envelope.ALERT_RETRACTED, AlertRetractedV1),
}

HISTORIES = (
    topics.ALERTS_ALERTS,
    topics.ALERTS_NOTICES,
    topics.ALERTS_DEPARTMENT_FIRE,
    topics.ALERTS_DEPARTMENT_CHILD_PROTECTION,
)
STATISTICS = (topics.ALERTS_STATISTICS, envelope.ALERTS_STATISTICS)
statistics_key, parse_statistics_key = contract.key, contract.parse_key


def notice_changed(before: Notice | None, after: Notice, at: datetime) -> Emission | None:
    """The event of a notice's change: it became active, or is active no more; None for any other change."""
    was = before.state if before else NoticeState.PROPOSED
    if after.state is NoticeState.ACTIVE and was is not NoticeState.ACTIVE:
        return _activated(after, at)
    if was in (NoticeState.PROPOSED, after.state):
        return None
    if after.state is NoticeState.SUSPENDED:
        return _ended(after, at, NoticeEnd.SUSPENDED)
    if after.state is NoticeState.ENDED and after.why is not None:
        return _ended(after, at, NoticeEnd(after.why.value))
    return None


def notice_asks_again(notice: Notice, activated_at: datetime) -> Emission:
    """The event by which an active notice asks once more who is here now."""
    return _activated(notice, activated_at)


def _activated(notice: Notice, at: datetime) -> Emission:
    token = notice.latest.content.token
    return Emission(
        topic=topics.ALERTS_NOTICES,
        key=str(notice.notice_id),
        type=envelope.NOTICE_ACTIVATED,
        model=NoticeActivatedV1(
            notice_id=notice.notice_id,
            token=MatchingTokenV1(key_id=token.key_id, value=token.value),
            activated_at=at,
        ),
        kind="history",
    )


def _ended(notice: Notice, at: datetime, reason: NoticeEnd) -> Emission:
    return Emission(
        topic=topics.ALERTS_NOTICES,
        key=str(notice.notice_id),
        type=envelope.NOTICE_ENDED,
        model=NoticeEndedV1(notice_id=notice.notice_id, ended_at=at, reason=reason),
        kind="history",
    )


def alert_changed(alert: Alert, change: Change, at: datetime) -> Emission | None:
    """The event of a change of a notice's alert; None for changes that move no state, and for alerts of rules."""
    if alert.source is not Source.NOTICE or alert.stay_id is None or change not in _PUBLISHED:
        return None
    type_, model = _PUBLISHED[change]
    return Emission(
        topic=topics.ALERTS_ALERTS,
        key=str(alert.alert_id),
        type=type_,
        model=model(
            alert_id=alert.alert_id,
            stay_id=alert.stay_id,
            state=AlertState(alert.state.value),
            occurred_at=at,
        ),
        kind="history",
    )


def fire_case_changed(case: FireCase, at: datetime) -> Emission:
    """The event of a fire case: as it is now, with its end when it has ended."""
    told = {
        "case_id": case.case_id,
        "premises_id": case.premises_id,
        "address": case.address,
        "division_code": case.division_code,
        "latitude": case.latitude,
        "longitude": case.longitude,
        "hazards": tuple(CaseHazardV1(item=item, severity=HazardSeverity.IMMINENT) for item in case.imminent),
        "headcount": case.headcount,
        "since": case.since,
        "state": FireCaseState(case.state.value),
    }
    model: FireCaseV1
    if case.state.value == FireCaseState.OPEN.value:
        type_, model = envelope.IMMINENT_HAZARD_OCCUPIED, ImminentHazardOccupiedV1.model_validate(told)
    else:
        type_ = envelope.IMMINENT_HAZARD_OCCUPIED_CLEARED
        model = ImminentHazardOccupiedClearedV1.model_validate(told | {"ended_at": at})
    return Emission(topics.ALERTS_DEPARTMENT_FIRE, str(case.case_id), type_, model, "history")


def statistics(counts: DayCounts) -> Emission:
    """The counts of one kind in one division on one day, as known now."""
    head = {"day": counts.day, "division_code": counts.division_code, "kind": counts.kind}
    model = AlertsStatisticsV1.model_validate({**head, **counts.counts})
    return Emission(
        topic=topics.ALERTS_STATISTICS,
        key=contract.key(counts.day, counts.division_code, counts.kind),
        type=envelope.ALERTS_STATISTICS,
        model=model,
        kind="state",
        version=counts.version,
    )
