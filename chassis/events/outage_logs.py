"""Keeps aiokafka's logs short and true while a broker is away: it repeats the same errors twenty times a second."""

import logging
import time

from aiokafka.errors import KafkaError

# Loggers are named one by one, since a filter does not reach a logger's children.
LOGGERS = (
    "aiokafka",
    "aiokafka.conn",
    "aiokafka.consumer.consumer",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)
REPEAT_SECONDS = 10.0


class OncePerWhile(logging.Filter):
    """Lets a line pass if none with the same text, before values are filled in, passed in the last seconds.

    What aiokafka itself tries again, such as asking for a coordinator that a new cluster has not named yet, it logs as
    an error and is a warning here: a consumer or relay that does stop says so itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether to log it."""
        now = time.monotonic()
        if now - self._passed.get(record.msg, float("-inf")) < REPEAT_SECONDS:
            return False
        self._passed[record.msg] = now
        if record.levelno == logging.ERROR and _tried_again(record.args):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _tried_again(values: object) -> bool:
    return isinstance(values, tuple) and any(isinstance(each, KafkaError) and each.retriable for each in values)


def shorten() -> None:
    """Put the filter on aiokafka's loggers, once."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, OncePerWhile) for each in logger.filters):
            logger.addFilter(OncePerWhile())
