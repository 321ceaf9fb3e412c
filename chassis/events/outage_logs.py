"""Keeps aiokafka's logs short while a broker is away: it repeats the same lines some twenty times a second."""

import logging
import time

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
    """Lets a line pass if none with the same text, before values are filled in, passed in the last seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether to log it."""
        now = time.monotonic()
        if now - self._passed.get(record.msg, float("-inf")) < REPEAT_SECONDS:
            return False
        self._passed[record.msg] = now
        return True


def shorten() -> None:
    """Put the filter on aiokafka's loggers, once."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, OncePerWhile) for each in logger.filters):
            logger.addFilter(OncePerWhile())
