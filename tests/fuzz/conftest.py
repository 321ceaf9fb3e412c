"""The four services as the fuzz meets them, started once for the run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fuzz.fuzzed import Fuzzed, start, stop, wait_ready
from tests.parts import Postgres


@pytest.fixture(scope="session")
async def fuzzed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Fuzzed]]:
    """The services by name, ready."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    started = await start(postgres, folder)
    try:
        for each in started.values():
            wait_ready(each)
        yield started
    finally:
        stop(started)
