"""What a log's last records say: whether the acknowledged one stands, and whether Kafka is ahead."""

import pytest

from chassis.events.logs import Span
from chassis.events.relay_rows import Acknowledged
from chassis.events.standing import Look, is_ahead, standing_before, stands

MARK = Acknowledged("topic", 0, epoch=7, sequence=10, offset=12)


@pytest.mark.parametrize(
    ("span", "at_mark", "expected"),
    [
        (Span(0, 13), (7, 10), True),
        (Span(13, 13), None, True),  # retention took it, with all before it
        (Span(40, 50), None, True),
        (Span(0, 12), None, False),  # the log lost its end
        (Span(0, 0), None, False),
        (Span(0, 20), (7, 9), False),  # another log
        (Span(0, 20), (6, 10), False),
        (Span(0, 20), None, False),  # a stranger's record stands there
    ],
)
def test_an_acknowledged_record_stands_or_not(span: Span, at_mark: tuple[int, int] | None, *, expected: bool) -> None:
    assert stands(MARK, Look(span, at_mark, {})) is expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({}, (0, 0)),
        ({(7, 8): 3, (7, 9): 4}, (7, 9)),
        ({(7, 9): 4, (7, 3): 5}, (7, 9)),  # sent again in part
        ({(7, 11): 0}, (0, 0)),  # a new log that only has what came later
        ({(6, 99): 1, (7, 2): 2}, (7, 2)),
    ],
)
def test_what_stands_up_to_the_acknowledged_one(last: dict[tuple[int, int], int], expected: tuple[int, int]) -> None:
    assert standing_before(MARK, Look(Span(0, 6), None, last)) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({}, False),
        ({(7, 12): 0}, False),  # numbered here, sent, not acknowledged
        ({(7, 13): 0}, True),
        ({(6, 99): 0}, False),  # of before a recovery
        ({(8, 1): 0}, True),  # restored to before a recovery
    ],
)
def test_kafka_is_ahead_of_what_was_numbered(last: dict[tuple[int, int], int], *, expected: bool) -> None:
    assert is_ahead(Look(Span(0, 1), None, last), epoch=7, numbered=12) is expected
