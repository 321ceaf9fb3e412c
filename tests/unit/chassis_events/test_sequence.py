"""The rule of taking, dropping and holding, by examples and against a plain model of it."""

from collections.abc import Sequence

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from chassis.events.records import RawRecord, Records
from chassis.events.sequence import Place, Verdict, judge, sift

E = 1_700_000_000


def raw(offset: int, sequence: bytes | None) -> RawRecord:
    headers = () if sequence is None else (("ce_sequence", sequence),)
    return ConsumerRecord("t", 0, offset, 0, 0, b"k", b"v", None, 1, 1, headers)


def numbered(numbers: Sequence[tuple[int, int]], first_offset: int = 0) -> list[RawRecord]:
    return [raw(first_offset + n, f"{epoch}.{number}".encode()) for n, (epoch, number) in enumerate(numbers)]


@pytest.mark.parametrize(
    ("place", "record", "verdict"),
    [
        (Place(0), (E, 1), Verdict.TAKE),  # first contact, the log is whole
        (Place(0), (E, 2), Verdict.GAP),
        (Place(7, 0, None), (E, 9), Verdict.TAKE),  # first contact, retention has cut the log
        (Place(5, E, 5), (E, 6), Verdict.TAKE),
        (Place(5, E, 5), (E, 5), Verdict.REPEAT),
        (Place(5, E, 5), (E, 1), Verdict.REPEAT),
        (Place(5, E, 5), (E - 1, 99), Verdict.REPEAT),
        (Place(5, E, 5), (E, 7), Verdict.GAP),
        (Place(5, E, 5), (E + 1, 1), Verdict.TAKE),
        (Place(5, E, 5), (E + 1, 2), Verdict.GAP),
        # Numbers of this epoch are missing: the next epoch must wait for them.
        (Place(5, E, 5, missing_to=8, seen=(E, 8)), (E + 1, 1), Verdict.GAP),
        (Place(5, E, 5, missing_to=8, seen=(E, 8)), (E, 6), Verdict.TAKE),
        # Only numbers of the next epoch are missing: it may begin.
        (Place(5, E, 5, seen=(E + 1, 3)), (E + 1, 1), Verdict.TAKE),
    ],
)
def test_verdicts(place: Place, record: tuple[int, int], verdict: Verdict) -> None:
    assert judge(place, *record)[0] is verdict


def test_a_gap_is_open_until_everything_that_was_seen_is_taken() -> None:
    place = Place(0)
    for number, gap in [(1, False), (4, True), (2, True), (3, True), (4, False)]:
        _, place = judge(place, E, number)
        assert place.gap is gap, number


def test_only_the_next_offset_is_looked_at() -> None:
    records = numbered([(E, 1), (E, 2), (E, 3)])
    assert sift(Place(0), records).after == Place(3, E, 3)
    early = sift(Place(2, E, 2), records)
    assert ([r.sequence for r in early.taken], early.strays) == ([3], 2)
    ahead = sift(Place(0), records[1:])
    assert (list(ahead.taken), ahead.strays, ahead.after) == ([], 2, Place(0))


@pytest.mark.parametrize(
    "text", [None, b"", b"x", b"1", b"1.", b".1", b"1.0", b"-1.1", b"1.1.1", b"1_0.1", b"9" * 30 + b".1"]
)
def test_a_record_without_a_number_moves_the_offset_alone(text: bytes | None) -> None:
    sifted = sift(Place(4, E, 4), [raw(4, text), *numbered([(E, 5)], 5)])
    assert [record.offset for record in sifted.unreadable] == [4]
    assert ([record.sequence for record in sifted.taken], sifted.after) == ([5], Place(6, E, 5))


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), max_size=6), st.integers(1, 7))
def test_everything_once_and_in_order_however_often_the_relay_goes_back(rounds: list[list[bool]], size: int) -> None:
    """A log as a relay leaves it: some records of each round refused, and from the first of them all of it again."""
    log: list[tuple[int, int]] = []
    mark = 0
    for delivered in [*rounds, [True] * 6]:
        log += [(E, number) for number in range(mark + 1, 7) if delivered[number - 1]]
        while mark < 6 and delivered[mark]:
            mark += 1
    place, taken = Place(0), list[int]()
    for begin in range(0, len(log), size):
        sifted = sift(place, numbered(log[begin : begin + size], begin))
        taken += [record.sequence for record in sifted.taken]
        place = sifted.after
        # While a number is missing that something after it was seen of, it is known to be missing.
        assert place.gap is (max(number for _, number in log[: begin + size]) > len(taken))
    assert taken == [1, 2, 3, 4, 5, 6]
    assert place == Place(len(log), E, 6, place.missing_to, place.seen)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 5)), max_size=30), st.integers(1, 30))
def test_batches_make_no_difference(log: list[tuple[int, int]], size: int) -> None:
    whole = sift(Place(0), numbered(log))
    place, taken = Place(0), list[tuple[int, int]]()
    for begin in range(0, len(log), size):
        part = sift(place, numbered(log[begin : begin + size], begin))
        place = part.after
        taken += [(record.epoch, record.sequence) for record in part.taken]
    assert taken == [(record.epoch, record.sequence) for record in whole.taken]
    assert place == whole.after
    assert taken == sorted(set(taken))


def test_records_are_wrapped_when_they_are_asked_for() -> None:
    """By index, in a part, and one after the other; given one by one they become the same."""
    records = sift(Place(0), numbered([(E, 1), (E, 2), (E, 3)])).taken
    assert [(each.offset, each.epoch, each.sequence) for each in records] == [(0, E, 1), (1, E, 2), (2, E, 3)]
    part = records[1:]
    assert isinstance(part, Records)
    assert [each.sequence for each in part] == [2, 3]
    assert (records[-1].sequence, len(records), len(part)) == (3, 3, 2)
    assert Records.of(records) is records
    assert [each.sequence for each in Records.of(list(records))] == [1, 2, 3]
