"""Planted faults: each changes a copy of clean evidence as a fault of the city would have left it.

The checker is worth what it finds, so it is tried on these: tests/unit/chaos on recorded evidence in every `make
test`, and `make chaos` on its own run's.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.chaos.checker.evidence import Row
from tests.chaos.checker.findings import Kind
from tests.chaos.soil import NothingToPlantOn, Soil

STAYS, ALERTS = "registration.stays", "alerts.alerts"


@dataclass(frozen=True, slots=True)
class Plant:
    """A planted fault and the kinds of finding of which one must name it."""

    name: str
    kinds: frozenset[Kind]
    plant: Callable[[Soil], object]


def _open(row: Row) -> bool:
    return row["departed_at"] is None


def _of_notice(row: Row) -> bool:
    return bool(row["source"] == "notice")


def _new_id() -> str:
    return str(uuid.uuid4())


def _withdrawal_undone(soil: Soil) -> None:
    withdrawn = {line["facts"]["notice_id"] for line in soil.evidence.journal if line.get("what") == "withdrawal"}
    place = soil.row("alerts.notices", lambda row: row["notice_id"] in withdrawn and row["state"] == "ended")
    soil.change("alerts.notices", place, state="active", why=None)


def _stored_twice(soil: Soil) -> None:
    row = soil.evidence.tables[STAYS][soil.row(STAYS)]
    soil.evidence.tables[STAYS].append({**row, "stay_id": _new_id()})


def _published_twice(soil: Soil) -> None:
    records = soil.evidence.topics[STAYS]
    record = records[soil.record(STAYS, lambda each: each.type == "person-arrived")]
    records.append(replace(record, offset=record.offset + 10_000, headers={**record.headers, "ce_id": _new_id()}))


def _two_contents(soil: Soil) -> None:
    topic = "registration.occupancy"
    records = soil.evidence.topics[topic]
    record = records[soil.record(topic)]
    value = json.dumps({**record.body, "headcount": record.body["headcount"] + 1})
    headers = {**record.headers, "ce_id": _new_id()}
    records.append(replace(record, offset=record.offset + 10_000, value=value, headers=headers))


def _answered_twice(soil: Soil) -> None:
    journal = soil.evidence.journal
    line = soil.dice.choice([each for each in journal if each["phase"] == "answered" and each["status"] == 201])
    journal.append({**line, "answer": {**line["answer"], "receipt_number": "another"}})


def _told_to_the_board(soil: Soil) -> list[Row]:
    told = [line for line in soil.evidence.journal if line["phase"] == "told"]
    if not told:
        raise NothingToPlantOn
    return told


def _altered(soil: Soil) -> None:
    place = soil.record(STAYS)
    record = soil.evidence.topics[STAYS][place]
    value = json.dumps({**record.body, "division_code": "330199002"})
    soil.evidence.topics[STAYS][place] = replace(record, value=value)


def _of_nobody(soil: Soil) -> None:
    records = soil.evidence.topics["alerts.notices"]
    record = records[soil.record("alerts.notices")]
    records.append(replace(record, offset=record.offset + 10_000, headers={**record.headers, "ce_id": _new_id()}))


def _order_of_a_stay(soil: Soil) -> None:
    departed = {each.key for each in soil.evidence.topics[STAYS] if each.type == "person-departed"}
    one = soil.record(STAYS, lambda each: each.key in departed and each.type == "person-arrived")
    key = soil.evidence.topics[STAYS][one].key
    soil.swap(STAYS, one, soil.record(STAYS, lambda each: each.key == key and each.type == "person-departed"))


def _order_in_a_partition(soil: Soil) -> None:
    one = soil.record(STAYS)
    first = soil.evidence.topics[STAYS][one]
    soil.swap(STAYS, one, soil.record(STAYS, lambda each: each.partition == first.partition and each.key != first.key))


def _another_key(soil: Soil) -> None:
    place = soil.record(STAYS)
    soil.evidence.topics[STAYS][place] = replace(soil.evidence.topics[STAYS][place], key=_new_id())


def _another_partition(soil: Soil) -> None:
    topic = "registration.occupancy"
    place = soil.record(topic)
    record = soil.evidence.topics[topic][place]
    partition = (record.partition + 1) % soil.evidence.partitions[topic]
    soil.evidence.topics[topic][place] = replace(record, partition=partition)


def _renumbered(step: int, epoch: int) -> Callable[[Soil], None]:
    def plant(soil: Soil) -> None:
        place = soil.record(STAYS, lambda each: (each.sequence or (0, 0))[1] > 1)
        record = soil.evidence.topics[STAYS][place]
        assert record.sequence is not None
        sequence = f"{record.sequence[0] + epoch}.{record.sequence[1] + step}"
        soil.evidence.topics[STAYS][place] = replace(record, headers={**record.headers, "ce_sequence": sequence})

    return plant


def _newest_not_last(soil: Soil) -> None:
    topic = "registration.occupancy"
    records = soil.evidence.topics[topic]
    times = {each.key: [n for n, other in enumerate(records) if other.key == each.key] for each in records}
    several = [places for places in times.values() if len(places) > 1]
    if not several:
        raise NothingToPlantOn
    places = soil.dice.choice(several)
    soil.swap(topic, places[0], places[-1])


def _for_nobody(soil: Soil) -> None:
    matched = {row["stay_id"] for row in soil.evidence.tables[ALERTS]}
    other = soil.evidence.tables[STAYS][soil.row(STAYS, lambda row: row["stay_id"] not in matched)]
    soil.change(ALERTS, soil.row(ALERTS, _of_notice), stay_id=other["stay_id"])


def _raised_twice(soil: Soil) -> None:
    row = soil.evidence.tables[ALERTS][soil.row(ALERTS, _of_notice)]
    soil.evidence.tables[ALERTS].append({**row, "alert_id": _new_id()})


def _after_the_end(soil: Soil) -> None:
    ended = {row["notice_id"] for row in soil.evidence.tables["alerts.notices"] if row["state"] == "ended"}
    place = soil.row(ALERTS, lambda row: row["notice_id"] in ended)
    soil.change(ALERTS, place, raised_at=max(line["at"] for line in soil.evidence.journal))


def _missing_alert(soil: Soil) -> None:
    """An alert of a notice that nobody withdrew, on a stay that was registered after it, with all that tells of it."""
    ended = {row["notice_id"] for row in soil.evidence.tables["alerts.notices"] if row["state"] == "ended"}
    gone = soil.drop(
        ALERTS,
        lambda row: _of_notice(row) and row["notice_id"] not in ended and row["facts"]["event"] == "arrived",
    )
    topics, tables = soil.evidence.topics, soil.evidence.tables
    topics[ALERTS] = [each for each in topics[ALERTS] if each.key != gone["alert_id"]]
    for table in ("alerts.alert_changes", "registration.stay_alerts"):
        tables[table] = [row for row in tables[table] if row["alert_id"] != gone["alert_id"]]
    tables["alerts.outbox"] = [row for row in tables["alerts.outbox"] if row["key"] != gone["alert_id"]]


def _matched_nothing(soil: Soil) -> Row:
    matched = {row["stay_id"] for row in soil.evidence.tables[ALERTS]}
    wanted = "".join(row["content"] for row in soil.evidence.tables["alerts.notice_terms"])
    fits = soil.row(
        STAYS,
        lambda row: row["stay_id"] not in matched and row["matching_token"] and row["matching_token"] not in wanted,
    )
    return soil.evidence.tables[STAYS][fits]


def _token_in_bytes(soil: Soil) -> None:
    token = _matched_nothing(soil)["matching_token"].encode().hex()
    soil.evidence.tables["alerts.seen"] = [{"id": 1, "document": f"\\x{token}"}]


def _log(field: str) -> Callable[[Soil], None]:
    def plant(soil: Soil) -> None:
        logs = soil.evidence.logs
        logs["alerts-worker"] = logs.get("alerts-worker", "") + json.dumps({"event": _matched_nothing(soil)[field]})

    return plant


def _never_written(soil: Soil) -> None:
    """The last event of a partition and its row in the outbox: no number is missing."""
    records = soil.evidence.topics[STAYS]
    last = {each.partition: each.sequence for each in records}
    gone = soil.drop_record(STAYS, lambda each: each.type == "person-arrived" and each.sequence == last[each.partition])
    soil.drop("registration.outbox", lambda row: row["event_id"] == gone.id)


def _position_behind(soil: Soil) -> None:
    table = "alerts.consumer_positions"
    place = soil.row(table, lambda row: row["topic"] == STAYS and row["next_offset"] > 0)
    soil.change(table, place, next_offset=soil.evidence.tables[table][place]["next_offset"] - 1)


def _older_copy(soil: Soil) -> None:
    place = soil.row("housing.headcounts", lambda row: row["version_number"] > 1)
    count = soil.evidence.tables["housing.headcounts"][place]["headcount"]
    soil.change("housing.headcounts", place, headcount=max(count - 1, 0) if count else 1)


def _state_older(soil: Soil) -> None:
    """The last versions of some premises never came: the topic's newest is older than the table."""
    topic = "housing.premises"
    records = soil.evidence.topics[topic]
    newest = records[soil.record(topic, lambda each: each.body["version"].split(".")[1] != "1")]
    soil.evidence.topics[topic] = [
        each for each in records if each.key != newest.key or each.body["version"].endswith(".1")
    ]


# What is planted, the kind of finding that must name it, and how.
_PLANTED: tuple[tuple[str, Kind | tuple[Kind, ...], Callable[[Soil], object]], ...] = (
    ("a stay's row is gone", "lost", lambda soil: soil.drop(STAYS)),
    (
        "a departure is undone",
        "lost",
        lambda soil: soil.change(STAYS, soil.row(STAYS, lambda row: not _open(row)), departed_at=None),
    ),
    ("a correction's row is gone", "lost", lambda soil: soil.drop("registration.corrections")),
    ("an inspection's row is gone", "lost", lambda soil: soil.drop("housing.inspections")),
    (
        "an open hazard is gone",
        "lost",
        lambda soil: soil.drop("housing.hazards", lambda row: row["cleared_at"] is None),
    ),
    ("a withdrawal is undone", "lost", _withdrawal_undone),
    (
        "an arrival was not published",
        "lost",
        lambda soil: soil.drop_record(STAYS, lambda each: each.type == "person-arrived"),
    ),
    ("an arrival was never written to the outbox", "lost", _never_written),
    (
        "the board was not told of a change",
        "lost",
        lambda soil: soil.evidence.journal.remove(soil.dice.choice(_told_to_the_board(soil))),
    ),
    (
        "the board was told twice",
        "doubled",
        lambda soil: soil.evidence.journal.append(soil.dice.choice(_told_to_the_board(soil))),
    ),
    ("a department was not told", "lost", lambda soil: soil.drop_record("alerts.department.fire")),
    ("a reader stands before the end", "lost", _position_behind),
    (
        "an event waits unsent",
        "lost",
        lambda soil: soil.change("registration.outbox", soil.row("registration.outbox"), relay_number=None),
    ),
    ("a state is older than its table", "lost", _state_older),
    ("a copy of a headcount is old", ("lost", "doubled"), _older_copy),
    ("a retried arrival was stored twice", "doubled", _stored_twice),
    ("an arrival was published twice", "doubled", _published_twice),
    ("one version of a state has two contents", "doubled", _two_contents),
    ("one key was answered in two ways", "doubled", _answered_twice),
    (
        "a guest was counted twice",
        "doubled",
        lambda soil: soil.change("registration.occupancy", soil.row("registration.occupancy"), headcount=10_000),
    ),
    ("an event was written by nobody", "invented", _of_nobody),
    ("an event is not as it was written", "invented", _altered),
    (
        "a departure that nobody entered",
        "invented",
        lambda soil: soil.change(STAYS, soil.row(STAYS, _open), departed_at="2026-01-01T00:00:00+00:00"),
    ),
    ("a stay's departure stands before its arrival", "misordered", _order_of_a_stay),
    ("two events of a partition changed places", "misordered", _order_in_a_partition),
    ("a record has another's key", ("misordered", "invented"), _another_key),
    ("a record is in another partition", "misordered", _another_partition),
    ("a gap in the sequence", "misordered", _renumbered(100_000, 0)),
    ("an event of another epoch", "misordered", _renumbered(0, 1)),
    ("the newest version is not the last", "misordered", _newest_not_last),
    ("an alert is missing", "wrong alert", _missing_alert),
    ("an alert was raised for nobody", "wrong alert", _for_nobody),
    ("two alerts of one notice and stay", "wrong alert", _raised_twice),
    ("an alert of a withdrawn notice", "wrong alert", _after_the_end),
    ("registration was not told of an alert", "wrong alert", lambda soil: soil.drop("registration.stay_alerts")),
    (
        "a rule's alert is missing",
        "wrong alert",
        lambda soil: soil.drop(ALERTS, lambda row: row["source"] == "rule" and row["holds"]),
    ),
    (
        "a stay that matched nothing is in a table",
        "trace",
        lambda soil: soil.evidence.tables.update({"alerts.seen": [{"stay_id": _matched_nothing(soil)["stay_id"]}]}),
    ),
    ("a token that matched nothing is in a table", "trace", _token_in_bytes),
    ("a stay that matched nothing is in a log", "trace", _log("stay_id")),
    ("a token is in a log", "trace", _log("matching_token")),
)
PLANTS = tuple(
    Plant(name, frozenset((kinds,) if isinstance(kinds, str) else kinds), plant) for name, kinds, plant in _PLANTED
)
