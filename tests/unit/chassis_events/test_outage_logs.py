"""What aiokafka logs while a broker is away: once per while, and an error only where it gives up."""

import logging

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError

from chassis.events.outage_logs import OncePerWhile


def _record(text: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("aiokafka.consumer.group_coordinator", logging.ERROR, "file.py", 1, text, values, None)


@pytest.mark.parametrize(
    ("fault", "level"),
    [(GroupCoordinatorNotAvailableError(), "WARNING"), (GroupAuthorizationFailedError(), "ERROR")],
)
def test_only_what_is_tried_again_is_a_warning(fault: Exception, level: str) -> None:
    record = _record("Group Coordinator Request failed: %s", fault)
    assert OncePerWhile().filter(record)
    assert record.levelname == level


def test_a_line_is_not_repeated_at_once() -> None:
    once = OncePerWhile()
    assert once.filter(_record("Request failed: %s", "a"))
    assert not once.filter(_record("Request failed: %s", "b"))
    assert once.filter(_record("Another"))
