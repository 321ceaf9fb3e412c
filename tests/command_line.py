"""Running `anju` in the test's own process, and what it answers."""

import asyncio
import json
from typing import Any

from typer.testing import CliRunner, Result

from anju.cli import app


async def anju(*words: str) -> Result:
    """Run `anju` with these words, beside the test's own loop. The fixture `own_logging` goes with it."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def document(*words: str) -> Any:
    """What a command with --json answers."""
    result = await anju(*words, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refused(result: Result, sentence: str) -> None:
    """It ended with 1 and one line, nothing on the standard output."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"anju: {sentence}\n"
