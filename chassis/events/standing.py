"""Whether what Kafka acknowledged still stands in its log, and whether the log has what this database never wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.events.logs import Logs, Place, Span
from chassis.events.records import RawRecord, header, sequence_of
from chassis.events.relay_rows import Acknowledged
from contracts.envelope import HEADER_SOURCE

# How many of a log's last records are looked at: what a stranger wrote there must not hide ours.
LAST = 100

Number = tuple[int, int]


class KafkaAhead(Exception):
    """Kafka has records of this service that its database does not know: the database was restored from a backup."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


@dataclass(frozen=True, slots=True)
class Look:
    """What one history's log shows.

    Args:
        at_mark: number of the record at the offset of the last acknowledged one; None if there is none of ours.
        last: numbers of ours among the log's last records, with their offsets.
    """

    span: Span
    at_mark: Number | None
    last: Mapping[Number, int]


def stands(acknowledged: Acknowledged, look: Look) -> bool:
    """Say whether the acknowledged record stands where it did, or retention took it with the records before it."""
    if acknowledged.offset < look.span.start:
        return True
    return look.at_mark == (acknowledged.epoch, acknowledged.sequence)


def standing_before(acknowledged: Acknowledged, look: Look) -> Number:
    """Return the highest number up to the acknowledged one that the log shows: what comes after it is sent again."""
    mark = (acknowledged.epoch, acknowledged.sequence)
    return max((number for number in look.last if number <= mark), default=(0, 0))


def is_ahead(look: Look, epoch: int, numbered: int) -> bool:
    """Say whether the log has a number that was never given: above the last one of this epoch, or of a newer one."""
    return any(number > (epoch, numbered) for number in look.last)


async def look_at_histories(
    logs: Logs, spans: Mapping[Place, Span], marks: Mapping[Place, Acknowledged], service: str
) -> dict[Place, Look]:
    """Read each log's last records and the one at its mark; raises KafkaSilent."""
    last = await _read(logs, tails(spans))
    at_marks = {
        place: Span(mark.offset, mark.offset + 1)
        for place, mark in marks.items()
        if place in spans and spans[place].start <= mark.offset < spans[place].end
    }
    found = await _read(logs, at_marks)
    looks = {}
    for place, span in spans.items():
        at_mark = _numbers(found.get(place, []), service)
        looks[place] = Look(span, next(iter(at_mark), None), _numbers(last.get(place, []), service))
    return looks


def tails(spans: Mapping[Place, Span]) -> dict[Place, Span]:
    """Return where the last records of each log are."""
    return {place: Span(max(span.start, span.end - LAST), span.end) for place, span in spans.items()}


async def _read(logs: Logs, spans: Mapping[Place, Span]) -> dict[Place, list[RawRecord]]:
    found: dict[Place, list[RawRecord]] = {}
    async for place, raws in logs.read(spans):
        found.setdefault(place, []).extend(raws)
    return found


def _numbers(raws: Sequence[RawRecord], service: str) -> dict[Number, int]:
    ours = f"/anju/{service}".encode()
    numbers = {sequence_of(raw): raw.offset for raw in raws if header(raw.headers, HEADER_SOURCE) == ours}
    return {number: offset for number, offset in numbers.items() if number is not None}
