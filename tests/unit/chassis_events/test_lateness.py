"""A record is late since the first look that saw it in the log, until it is read; however many follow."""

import random

from chassis.events import lateness
from chassis.events.lateness import Lateness


def test_what_is_read_is_not_late() -> None:
    late = Lateness()
    late.look(0.0, 5, 5)
    assert (late.lag, late.seconds(100.0)) == (0, 0.0)


def test_a_reader_that_stands_grows_late_and_recovers() -> None:
    late = Lateness()
    late.look(10.0, 5, 7)
    late.look(20.0, 5, 9)
    assert (late.lag, late.seconds(40.0)) == (4, 30.0)
    late.look(41.0, 7, 9)
    assert (late.lag, late.seconds(41.0)) == (2, 21.0), "the eighth record was first seen at 20"
    late.look(42.0, 9, 9)
    assert (late.lag, late.seconds(60.0)) == (0, 0.0)


def test_a_reader_that_keeps_up_is_never_late_however_much_comes() -> None:
    late, at = Lateness(), 0.0
    for number in range(1, 100):
        at += 5.0
        late.look(at, (number - 1) * 1000, number * 1000)
        assert late.seconds(at) <= 5.0


def test_a_day_of_standing_takes_little_room_and_is_not_forgotten() -> None:
    dice, late = random.Random(7), Lateness()
    end = 1
    for number in range(17_280):
        late.look(5.0 * number, 0, end)
        end += dice.randint(1, 9)
    assert late.seconds(86_400.0) == 86_400.0
    assert len(late._looks) <= lateness.MOST_LOOKS
