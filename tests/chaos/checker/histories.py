"""Topics against the outboxes and tables they come from: every event once, in its order, in its partition."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.checker.evidence import Evidence, Record, Row
from tests.chaos.checker.findings import Finding, Kind

SERVICES = ("registration", "housing", "alerts")
STATES = {
    "registration.occupancy", "registration.units", "registration.statistics", "housing.premises",
    "housing.statistics", "alerts.statistics",
}  # fmt: skip


def check(evidence: Evidence) -> Iterator[Finding]:
    """Compare each topic with its writer's outbox, and read it as interfaces.md tells a reader to."""
    written: dict[str, list[Row]] = defaultdict(list)
    for service in SERVICES:
        for row in sorted(evidence.table(f"{service}.outbox"), key=lambda row: (row["relay_number"] or 0, row["id"])):
            written[row["topic"]].append(row)
    for topic, records in evidence.topics.items():
        yield from _against_outbox(topic, records, written[topic])
        yield from _placed(topic, records, evidence.partitions.get(topic, 0))
        if topic not in STATES:
            yield from _in_sequence(topic, records, evidence)
    yield from _stays(evidence)


def _against_outbox(topic: str, records: list[Record], rows: list[Row]) -> Iterator[Finding]:
    first: dict[str, Record] = {}
    for record in records:
        seen = first.setdefault(record.id, record)
        if (seen.key, seen.value, seen.headers) != (record.key, record.value, record.headers):
            yield Finding("doubled", topic, f"event {record.id} stands there in two forms")
    by_id = {row["event_id"]: row for row in rows}
    for row in rows:
        event = first.get(row["event_id"])
        if event is None:
            yield Finding("lost", topic, f"event {row['event_id']} ({row['type']}) was written and is not in the topic")
            continue
        value = None if row["value"] is None else bytes.fromhex(row["value"][2:]).decode()
        if (event.key, event.value, event.headers.get("ce_type")) != (row["key"], value, row["type"]):
            yield Finding("invented", topic, f"event {event.id} is not as it was written")
        if topic not in STATES and event.sequence != (row["epoch"], row["sequence"]):
            yield Finding("misordered", topic, f"event {event.id} carries another sequence than it was given")
        if event.partition != row["partition"]:
            yield Finding("misordered", topic, f"event {event.id} is in another partition than it was given")
    for event_id in first.keys() - by_id.keys():
        yield Finding("invented", topic, f"event {event_id} was written by nobody")
    # First appearances, within a partition, come in the order in which the outbox was written.
    order = {row["event_id"]: place for place, row in enumerate(rows)}
    last: dict[int, int] = {}
    for record in first.values():
        place = order.get(record.id, -1)
        if place >= 0 and place < last.get(record.partition, -1):
            yield Finding("misordered", topic, f"event {record.id} stands after one that was written later")
        last[record.partition] = max(place, last.get(record.partition, -1))


def _placed(topic: str, records: list[Record], partitions: int) -> Iterator[Finding]:
    for record in records:
        if partitions and record.partition != partition_of(record.key, partitions):
            yield Finding("misordered", topic, f"event {record.id} is in a partition that is not its key's")
            break


def _in_sequence(topic: str, records: list[Record], evidence: Evidence) -> Iterator[Finding]:
    """Read each partition as a consumer: the next number, a repeat of a former one, or a gap that is filled later."""
    at: dict[int, tuple[int, int]] = {}
    taken: dict[tuple[int, tuple[int, int]], str] = {}
    highest: dict[int, tuple[int, int]] = {}
    for record in records:
        partition, sequence = record.partition, record.sequence
        if sequence is None:
            yield Finding("misordered", topic, f"event {record.id} has no sequence")
            continue
        known = taken.setdefault((partition, sequence), record.id)
        if known != record.id:
            yield Finding("doubled", topic, f"sequence {sequence} of partition {partition} was given to two events")
        here = at.get(partition, (0, 0))
        if sequence == (here[0], here[1] + 1) or (sequence[0] > here[0] and sequence[1] == 1):
            at[partition] = sequence
        highest[partition] = max(sequence, highest.get(partition, sequence))
    for partition, sequence in highest.items():
        if at.get(partition, (0, 0)) != sequence:
            yield Finding("misordered", topic, f"partition {partition} has a gap after {at.get(partition, (0, 0))}")
    yield from _one_epoch(topic, records, evidence)


def _one_epoch(topic: str, records: list[Record], evidence: Evidence) -> Iterator[Finding]:
    """No database was restored in such a run: the epoch is the one of the outbox."""
    rows = evidence.table(f"{topic.split('.')[0]}.outbox_epoch")
    if rows and any(record.sequence and record.sequence[0] != rows[0]["epoch"] for record in records):
        yield Finding("misordered", topic, "an event carries another epoch than the outbox's")


def _stays(evidence: Evidence) -> Iterator[Finding]:
    """Each stay has one arrival, one departure if it ended, a correction for each one made; recorded in that order."""
    topic = "registration.stays"
    kinds: Counter[tuple[str, str]] = Counter()
    events: dict[str, list[Row]] = defaultdict(list)
    seen: set[str] = set()
    for record in evidence.topic(topic):
        if record.id in seen:
            continue
        seen.add(record.id)
        kinds[(record.key, record.type)] += 1
        events[record.key].append({**record.body, "type": record.type})
    corrections = Counter(row["stay_id"] for row in evidence.table("registration.corrections"))
    stays = {row["stay_id"]: row for row in evidence.table("registration.stays")}
    for stay_id, stay in stays.items():
        wanted = {"person-arrived": 1, "person-departed": int(stay["departed_at"] is not None)}
        wanted["stay-corrected"] = corrections[stay_id]
        for type_, count in wanted.items():
            found = kinds[(stay_id, type_)]
            if found != count:
                kind: Kind = "lost" if found < count else "doubled"
                yield Finding(kind, topic, f"{stay_id} has {found} different {type_}, not {count}")
        if events[stay_id]:
            yield from _order_of_a_stay(stay, events[stay_id])
    for stay_id in events.keys() - stays.keys():
        yield Finding("invented", topic, f"there is no stay {stay_id}")


def _order_of_a_stay(stay: Row, events: list[Row]) -> Iterator[Finding]:
    topic, stay_id = "registration.stays", stay["stay_id"]
    recorded = [event["recorded_at"] for event in events]
    if events[0]["type"] != "person-arrived" or recorded != sorted(recorded):
        yield Finding("misordered", topic, f"the events of {stay_id} are not in the order in which they were recorded")
    last = events[-1]
    token = (last.get("token") or {}).get("value")
    ended = stay["departed_at"] is not None
    if last.get("room") != stay["room"] or (not ended and token != stay["matching_token"]):
        yield Finding("misordered", topic, f"the last event of {stay_id} is not as the stay is now")
    if ended != ("ended_at" in last):
        yield Finding("misordered", topic, f"the last event of {stay_id} does not know whether the stay ended")


def partition_of(key: str, partitions: int) -> int:
    """Kafka's default partitioner: murmur2 of the key, made positive, modulo."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2 by Austin Appleby, 32 bits, with Kafka's seed."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    result = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for place in range(0, whole, 4):
        word = int.from_bytes(data[place : place + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        result = (result * multiplier & mask) ^ word
    rest = data[whole:]
    if rest:
        result = (result ^ int.from_bytes(rest, "little")) * multiplier & mask
    result = (result ^ (result >> 13)) * multiplier & mask
    return result ^ (result >> 15)
