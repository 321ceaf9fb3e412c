"""Present states against the tables they come from and the copies that other services keep of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.checker.evidence import Evidence, Record, Row, pair
from tests.chaos.checker.findings import Finding, Kind
from tests.chaos.checker.histories import STATES

SEVERITIES = ("minor", "serious", "imminent")


def check(evidence: Evidence) -> Iterator[Finding]:
    """Compare the last record of each key with its table, and every copy with that."""
    for topic in sorted(STATES & evidence.topics.keys()):
        yield from _versions(topic, evidence.topic(topic))
    yield from _headcounts(evidence)
    yield from _premises(evidence)
    yield from _units(evidence)
    yield from _statistics(evidence)
    yield from _arrivals_counted(evidence)


def last_by_key(records: list[Record]) -> dict[str, Row]:
    """What a reader holds who applies newer versions only."""
    found: dict[str, Row] = {}
    versions: dict[str, tuple[int, int]] = {}
    for record in records:
        version = pair(record.body.get("version")) if record.value else None
        if record.value is None:
            found.pop(record.key, None)
        elif version is not None and version > versions.get(record.key, (0, 0)):
            found[record.key], versions[record.key] = record.body, version
    return found


def _versions(topic: str, records: list[Record]) -> Iterator[Finding]:
    """A newer version never stands before an older one, but for repeats; the last one is the newest.

    A relay that finds a state missing in its topic publishes it again, as another event: one version, one content.
    """
    highest: dict[str, tuple[int, int]] = {}
    last: dict[str, tuple[int, int]] = {}
    seen: dict[tuple[str, tuple[int, int]], Row] = {}
    for record in records:
        version = pair(record.body.get("version")) if record.value else None
        if record.value is None:
            continue
        if version is None:
            yield Finding("misordered", topic, f"{record.key} has no version")
            continue
        known = seen.get((record.key, version))
        seen.setdefault((record.key, version), record.body)
        if known is not None and known != record.body:
            yield Finding("doubled", topic, f"version {version} of {record.key} was given to two contents")
        if known is None and version < highest.get(record.key, version):
            yield Finding("misordered", topic, f"version {version} of {record.key} stands after a newer one")
        highest[record.key] = max(version, highest.get(record.key, version))
        last[record.key] = version
    for key, version in last.items():
        if version != highest[key]:
            yield Finding("misordered", topic, f"the last record of {key} is not its newest")


def _headcounts(evidence: Evidence) -> Iterator[Finding]:
    open_stays = Counter(
        row["premises_id"] for row in evidence.table("registration.stays") if row["departed_at"] is None
    )
    topic = {key: body["headcount"] for key, body in last_by_key(evidence.topic("registration.occupancy")).items()}
    copies = {
        "registration.occupancy": _column(evidence, "registration.occupancy", "headcount"),
        "the topic registration.occupancy": topic,
        "housing.headcounts": _column(evidence, "housing.headcounts", "headcount"),
        "alerts.dwellings": _column(evidence, "alerts.dwellings", "headcount"),
    }
    for where, counts in copies.items():
        yield from _equal(where, "headcount", open_stays, {key: count or 0 for key, count in counts.items()})


def _column(evidence: Evidence, table: str, column: str) -> dict[str, Any]:
    return {row["premises_id"]: row[column] for row in evidence.table(table)}


def _equal(where: str, what: str, right: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    for key in right.keys() | found.keys():
        ours, theirs = right.get(key, 0), found.get(key, 0)
        if ours != theirs:
            kind: Kind = "doubled" if isinstance(ours, int) and isinstance(theirs, int) and theirs > ours else "lost"
            yield Finding(kind, where, f"{what} of {key} is {theirs}, not {ours}")


def _premises(evidence: Evidence) -> Iterator[Finding]:
    """Housing's tables, its topic, and the copies of registration and alerts."""
    topic = last_by_key(evidence.topic("housing.premises"))
    hazards: dict[str, set[tuple[str, str]]] = {}
    for row in evidence.table("housing.hazards"):
        if row["cleared_at"] is None:
            hazards.setdefault(row["premises_id"], set()).add((row["item"], row["severity"]))
    copies = {row["premises_id"]: row for row in evidence.table("registration.premises")}
    dwellings = {row["premises_id"]: row for row in evidence.table("alerts.dwellings")}
    places = {row["premises_id"]: row for row in evidence.table("alerts.premises")}
    for row in evidence.table("housing.premises"):
        key = row["premises_id"]
        state, copy, dwelling, place = topic.get(key), copies.get(key), dwellings.get(key, {}), places.get(key)
        if state is None:
            yield Finding("lost", "housing.premises", f"{key} is not in the topic")
            continue
        told = {(hazard["item"], hazard["severity"]) for hazard in state.get("open_hazards", ())}
        same = all(state[name] == row[name] for name in ("kind", "status", "address", "division_code", "capacity"))
        if not same or told != hazards.get(key, set()) or pair(state["version"])[1] != row["version"]:  # type: ignore[index]
            yield Finding("lost", "housing.premises", f"the topic does not have {key} as it is now")
        if copy is None or any(copy[name] != state[name] for name in ("kind", "status", "address", "division_code")):
            yield Finding("lost", "registration.premises", f"{key} is not as its owner says")
        elif (copy["version_epoch"], copy["version_number"]) != pair(state["version"]):
            yield Finding("lost", "registration.premises", f"{key} is of another version")
        seen = {(hazard["item"], hazard["severity"]) for hazard in dwelling.get("hazards") or ()}
        other = (dwelling.get("status"), dwelling.get("capacity")) != (row["status"], row["capacity"])
        if other or place is None or place["address"] != row["address"] or seen != hazards.get(key, set()):
            yield Finding("lost", "alerts.dwellings", f"{key} is not as its owner says")
    yield from _nobodys(evidence, topic)


def _nobodys(evidence: Evidence, topic: Mapping[str, Row]) -> Iterator[Finding]:
    owned = {row["premises_id"] for row in evidence.table("housing.premises")}
    for where in ("registration.premises", "alerts.premises"):
        for row in evidence.table(where):
            if row["premises_id"] not in owned:
                yield Finding("invented", where, f"{row['premises_id']} is known to nobody else")
    for key in topic.keys() - owned:
        yield Finding("invented", "housing.premises", f"{key} is in the topic alone")


def _units(evidence: Evidence) -> Iterator[Finding]:
    owned = {row["unit_id"]: row["areas"] for row in evidence.table("registration.units")}
    for where in ("housing.units", "alerts.units"):
        copies = {row["unit_id"]: row["areas"] for row in evidence.table(where)}
        if owned and copies != owned:
            yield Finding("lost", where, "the units are not as registration has them")


def _statistics(evidence: Evidence) -> Iterator[Finding]:
    """Counts of days: the owner's table, its topic, and reporting's copy have one version and one set of figures."""
    copies = {"registration": "registration_days", "housing": "housing_days", "alerts": "alert_days"}
    for service, copy in copies.items():
        topic = last_by_key(evidence.topic(f"{service}.statistics"))
        told = {(body["division_code"], body["kind"], body["day"]): body for body in topic.values()}
        theirs = {(row["division_code"], row["kind"], row["day"]): row for row in evidence.table(f"reporting.{copy}")}
        own = {(row["division_code"], row["kind"], row["day"]): row for row in evidence.table(f"{service}.statistics")}
        for place in told.keys() | theirs.keys() | own.keys():
            versions = {
                own[place]["version"] if place in own else None,
                (pair(told[place]["version"]) or (0, 0))[1] if place in told else None,
                theirs[place]["version_number"] if place in theirs else None,
            }
            if len(versions) > 1:
                found = ", ".join(map(str, sorted(versions, key=str)))
                yield Finding("lost", f"reporting.{copy}", f"{place} has versions {found} in table, topic and copy")
            elif service == "registration" and any(
                own[place][name] != theirs[place][name] for name in ("registered", "arrivals", "departures", "late")
            ):
                yield Finding("lost", f"reporting.{copy}", f"the counts of {place} are not the owner's")


def _arrivals_counted(evidence: Evidence) -> Iterator[Finding]:
    """Every stay is counted once as an arrival, and once as a departure when it ended."""
    stays = evidence.table("registration.stays")
    counted = evidence.table("registration.statistics")
    if not counted:
        return
    for what, right in (
        ("arrivals", len(stays)),
        ("departures", sum(row["departed_at"] is not None for row in stays)),
    ):
        found = sum(row[what] for row in counted)
        if found != right:
            kind: Kind = "lost" if found < right else "doubled"
            yield Finding(kind, "registration.statistics", f"{found} {what} counted, {right} are there")
