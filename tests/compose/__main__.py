"""Runs the tests in containers: engine, images, pytest, and all of it gone at the end: `python -m tests.compose -k …`.

Where no engine can be had, or no package for its images, it says why in one line and runs no test, and that is no
error; with REQUIRE_DOCKER=1 it is one.
"""

import os
import signal
import sys
import time
from types import FrameType

import pytest

from tests.compose import images
from tests.compose.engine import NoEngine, engine

# A signal ends a fixture too; a thread that dumps and exits would leave containers and engine behind.
WORDS = ("-p", "no:cacheprovider", "-o", "timeout_method=signal", "-r", "fE", "-s", "tests/compose")


def main(words: list[str]) -> int:
    """Run the tests; return how this process ends."""
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        with engine() as environment:
            os.environ.update(environment)
            _say("engine", began)
            images.build(environment)
            _say("images", began)
            status = int(pytest.main([*WORDS, *words]))
    except NoEngine as error:
        sys.stderr.write(f"No tests in containers: {error}\n")
        return 1 if os.environ.get("REQUIRE_DOCKER") == "1" else 0
    _say("all, undone", began)
    return status


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as by Ctrl-C, once: what was started is undone."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(what: str, began: float) -> None:
    sys.stderr.write(f"{what}: {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
