"""Alerts against what product.md promises: one for each notice and stay that met, none for anybody else.

Who met whom comes from the journal, which knows persons by numbers of its own; tokens are not looked at here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.chaos.checker.entries import instant
from tests.chaos.checker.evidence import Evidence, Row
from tests.chaos.checker.findings import Finding
from tests.chaos.checker.told import Operation, by_what, read

WHERE = "alerts.alerts"
# product.md: a notice meets what was recorded since it became active, with this much for clocks that differ.
TOLERANCE = timedelta(minutes=5)
# policy/packs: overcrowded is who has more people than places, for all but one household.
CAPACITY_FACTOR = 1


@dataclass(slots=True)
class Stay:
    """A stay as terminals told of it: whom it named, from which operation on."""

    stay_id: str
    named: list[tuple[Operation, int]]
    departure: Operation | None = None
    unsure: bool = False

    @property
    def person(self) -> int:
        """Whom it names at the end."""
        return self.named[-1][1]

    def may_have_ended(self, before: datetime, naming: Operation) -> bool:
        """Whether it ended before that, which may have been known when it was named."""
        departure = self.departure
        return departure is not None and departure.begun_at <= naming.done_at and _end(departure) < before

    def had_ended(self, before: datetime, naming: Operation) -> bool:
        """Whether it ended before that, which was known for certain when it was named."""
        departure = self.departure
        if departure is None or not departure.done:
            return False
        return departure.done_at < naming.begun_at and _end(departure) < before


def _end(departure: Operation) -> datetime:
    return instant(departure.facts["departed_at"])


@dataclass(slots=True)
class Notice:
    """A notice as the desk told of it."""

    notice_id: str
    person: int
    approval: Operation | None = None
    withdrawals: list[Operation] = field(default_factory=list)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Compare alerts with the journal, and rules with the premises as they are."""
    told = by_what(read(evidence.journal))
    stays, notices = _stays(told), _notices(told)
    found: dict[tuple[str, str], Row] = {}
    for row in evidence.table(WHERE):
        if row["source"] == "notice":
            place = (row["notice_id"], row["stay_id"])
            if place in found:
                yield Finding("wrong alert", WHERE, f"two alerts of notice {place[0]} and stay {place[1]}")
            found[place] = row
    by_person: dict[int, list[Stay]] = defaultdict(list)
    for stay in stays.values():
        for person in {person for _, person in stay.named}:
            by_person[person].append(stay)
    for notice in notices.values():
        for stay in by_person[notice.person]:
            alert = found.get((notice.notice_id, stay.stay_id))
            if alert is None and _must(notice, stay):
                yield Finding("wrong alert", WHERE, f"none of notice {notice.notice_id} and stay {stay.stay_id}")
    ended = _ended_at(evidence)
    for (notice_id, stay_id), alert in found.items():
        yield from _right(alert, notices.get(notice_id), stays.get(stay_id), ended.get(notice_id))
    yield from _told_on(evidence)
    yield from _streamed(evidence)
    yield from _rules(evidence)


def _stays(told: dict[str, list[Operation]]) -> dict[str, Stay]:
    stays = {
        operation.answer["stay_id"]: Stay(operation.answer["stay_id"], [(operation, operation.facts["person"])])
        for operation in told["arrival"]
        if operation.done
    }
    for operation in told["correction"]:
        stay = stays.get(operation.facts["stay_id"])
        if stay is not None and operation.possible and "person" in operation.facts:
            stay.named.append((operation, operation.facts["person"]))
            stay.unsure |= not operation.done
    for operation in told["departure"]:
        stay = stays.get(operation.facts["stay_id"])
        if stay is not None and operation.possible:
            stay.departure = operation
    return stays


def _notices(told: dict[str, list[Operation]]) -> dict[str, Notice]:
    notices = {
        operation.answer["notice_id"]: Notice(operation.answer["notice_id"], operation.facts["person"])
        for operation in told["notice"]
        if operation.done
    }
    for operation in told["approval"]:
        if operation.possible:
            notices[operation.facts["notice_id"]].approval = operation
    for operation in told["withdrawal"]:
        if operation.possible:
            notices[operation.facts["notice_id"]].withdrawals.append(operation)
    return notices


def _must(notice: Notice, stay: Stay) -> bool:
    """Whether the two met for certain: the notice is active to the end, and the stay named its person meanwhile."""
    approval = notice.approval
    if approval is None or not approval.done or notice.withdrawals:
        return False
    for place, (operation, person) in enumerate(stay.named):
        if person != notice.person or not operation.done:
            continue
        # product.md: a stay that ended longer ago than the tolerance never meets, whomever it is corrected to.
        ended = stay.may_have_ended(approval.done_at - TOLERANCE, operation)
        if operation.begun_at >= approval.done_at and not ended:
            return True
        # Recorded before the notice was active: registration is asked who is here, and answers with open stays.
        if place == len(stay.named) - 1 and stay.departure is None and operation.done_at <= approval.begun_at:
            return True
    return False


def _right(alert: Row, notice: Notice | None, stay: Stay | None, ended_at: datetime | None) -> Iterator[Finding]:
    what = f"{alert['alert_id']} of notice {alert['notice_id']} and stay {alert['stay_id']}"
    raised_at = instant(alert["raised_at"])
    if notice is None or stay is None or all(person != notice.person for _, person in stay.named):
        yield Finding("wrong alert", WHERE, f"{what}: the stay never named the notice's person")
        return
    if notice.approval is None or raised_at < notice.approval.begun_at:
        yield Finding("wrong alert", WHERE, f"{what}: the notice was not approved")
    elif instant(alert["event_recorded_at"]) < notice.approval.begun_at - TOLERANCE:
        yield Finding("wrong alert", WHERE, f"{what}: it searched the past")
    elif _over_before(notice.approval, stay, notice.person):
        yield Finding("wrong alert", WHERE, f"{what}: the stay had ended before the notice was active")
    if any(each.done and raised_at > each.done_at for each in notice.withdrawals):
        yield Finding("wrong alert", WHERE, f"{what}: raised after the notice was withdrawn")
    elif ended_at is not None and raised_at > ended_at:
        yield Finding("wrong alert", WHERE, f"{what}: raised after the notice had ended")
    if not stay.unsure:
        yield from _holds(alert, notice, stay, what)


def _over_before(approval: Operation, stay: Stay, person: int) -> bool:
    """Whether each time that the stay named the person its end was known, and longer ago than the tolerance."""
    reach = approval.begun_at - TOLERANCE
    return all(stay.had_ended(reach, operation) for operation, named in stay.named if named == person)


def _holds(alert: Row, notice: Notice, stay: Stay, what: str) -> Iterator[Finding]:
    same = stay.person == notice.person
    if alert["holds"] and not same:
        yield Finding("wrong alert", WHERE, f"{what}: corrected to another person, and not retracted")
    if not alert["holds"] and same and not notice.withdrawals:
        yield Finding("wrong alert", WHERE, f"{what}: retracted, though the stay names the notice's person")
    if alert["holds"] != (alert["state"] != "retracted"):
        yield Finding("wrong alert", WHERE, f"{what}: it is {alert['state']} and holds is {alert['holds']}")


def _ended_at(evidence: Evidence) -> dict[str, datetime]:
    changes = evidence.table("alerts.notice_changes")
    return {row["notice_id"]: instant(row["at"]) for row in changes if row["change"] == "ended"}


def _told_on(evidence: Evidence) -> Iterator[Finding]:
    """What the topic, the history and registration say of each alert is what it is."""
    last: dict[str, str] = {}
    raised: Counter[str] = Counter()
    seen: set[str] = set()
    for record in evidence.topic(WHERE):
        if record.id not in seen:
            seen.add(record.id)
            last[record.key] = record.body["state"]
            raised[record.key] += record.type == "alert-raised"
    history = Counter(row["alert_id"] for row in evidence.table("alerts.alert_changes") if row["change"] == "raised")
    known = {row["alert_id"]: (row["stay_id"], row["state"]) for row in evidence.table("registration.stay_alerts")}
    for row in evidence.table(WHERE):
        alert_id = row["alert_id"]
        if history[alert_id] != 1:
            yield Finding("wrong alert", "alerts.alert_changes", f"{alert_id} was raised {history[alert_id]} times")
        if row["source"] != "notice":
            continue
        if raised[alert_id] != 1 or last[alert_id] != row["state"]:
            yield Finding("wrong alert", WHERE, f"the topic tells otherwise of {alert_id}")
        if known.get(alert_id) != (row["stay_id"], row["state"]):
            yield Finding("wrong alert", "registration.stay_alerts", f"registration does not know {alert_id} as it is")
    own = {row["alert_id"] for row in evidence.table(WHERE)}
    for alert_id in last.keys() - own:
        yield Finding("wrong alert", WHERE, f"the topic tells of {alert_id}, which is not there")
    for alert_id in known.keys() - own:
        yield Finding("wrong alert", "registration.stay_alerts", f"registration knows {alert_id}, which is not there")


def _streamed(evidence: Evidence) -> Iterator[Finding]:
    """The board was told every change of every alert, once and in order, through every cut."""
    where = "the alert stream"
    told = [line for line in evidence.journal if line["phase"] == "told"]
    positions = [line["position"] for line in told if line["event"] == "alert"]
    changes = {row["position"]: row["alert_id"] for row in evidence.table("alerts.alert_changes")}
    if sorted(changes) != list(range(1, len(changes) + 1)):
        yield Finding("misordered", "alerts.alert_changes", "the stream's positions have a gap")
    if not any(line.get("what") == "stream" for line in evidence.journal):
        return
    for position, times in Counter(positions).items():
        if times > 1:
            yield Finding("doubled", where, f"position {position} was told {times} times")
    if positions != sorted(positions):
        yield Finding("misordered", where, "a change was told before one that came earlier")
    for position in changes.keys() - set(positions):
        yield Finding("lost", where, f"position {position} was not told")
    for line in told:
        if line["event"] != "alert" or changes.get(line["position"]) != line["alert_id"]:
            yield Finding("invented", where, f"position {line['position']} told of something else")


def _rules(evidence: Evidence) -> Iterator[Finding]:
    """A rule's alert holds exactly where the premises are so, and one at most."""
    open_stays = Counter(
        row["premises_id"] for row in evidence.table("registration.stays") if row["departed_at"] is None
    )
    imminent = {
        row["premises_id"]
        for row in evidence.table("housing.hazards")
        if row["cleared_at"] is None and row["severity"] == "imminent"
    }
    holding = Counter(
        (row["rule"], row["premises_id"]) for row in evidence.table(WHERE) if row["source"] == "rule" and row["holds"]
    )
    right = set()
    for row in evidence.table("housing.premises"):
        premises_id, people = row["premises_id"], open_stays[row["premises_id"]]
        if people and (premises_id in imminent or row["status"] == "closed"):
            right.add(("unsafe_dwelling", premises_id))
        if row["capacity"] and not row["one_household"] and people > row["capacity"] * CAPACITY_FACTOR:
            right.add(("overcrowded", premises_id))
    for place in right | holding.keys():
        if place not in right:
            yield Finding("wrong alert", WHERE, f"{place[0]} of {place[1]} holds, and nothing is the matter")
        elif holding[place] != 1:
            yield Finding("wrong alert", WHERE, f"{place[0]} of {place[1]} has {holding[place]} alerts, not 1")
    yield from _fire(evidence)


def _fire(evidence: Evidence) -> Iterator[Finding]:
    """The fire department's last word on each case is the alert's."""
    topic = "alerts.department.fire"
    last = {record.key: record.body for record in evidence.topic(topic)}
    cases = {
        row["alert_id"]: row
        for row in evidence.table(WHERE)
        if row["rule"] == "unsafe_dwelling" and row["facts"].get("hazards")
    }
    for alert_id, row in cases.items():
        case = last.get(alert_id)
        state = "cleared" if row["state"] == "cleared" else "open"
        if (
            case is None
            or case["state"] != state
            or (state == "open" and case["headcount"] != row["facts"]["headcount"])
        ):
            yield Finding("lost", topic, f"the fire department does not know {alert_id} as it is")
    for case_id in last.keys() - {row["alert_id"] for row in evidence.table(WHERE)}:
        yield Finding("invented", topic, f"there is no alert {case_id}")
