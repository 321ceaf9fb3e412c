"""Starts a city that outlives its caller, and ends a city from outside of its launcher."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from anju.local import state
from anju.local.city import CityFailed, explained, make_directory

# A launcher that has not ended everything by then is killed, and its reaper ends the rest.
DOWN_SECONDS = 14.0
_LOOK_SECONDS = 0.1


def start(directory: Path, port_base: int, words: Sequence[str], *, say: Callable[[str], None]) -> None:
    """Start a launcher of its own session, repeat what it says, and return when its city is ready.

    `words` are options of `anju demo up` besides directory and port.

    Raises:
        CityFailed: it was not ready; nothing is left running.
    """
    log = directory / "logs" / "launcher.log"
    try:
        make_directory(directory)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise CityFailed(explained(error, directory)) from None
    command = [sys.executable, "-m", "anju", "--data-dir", str(directory), "demo", "up", "--port-base", str(port_base)]
    command += words
    begins = os.fstat(output).st_size
    launcher = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/"
    )
    os.close(output)
    try:
        _follow(launcher, log, begins, directory, say)
    except BaseException:
        # The caller changed its mind (Ctrl-C): the city goes with it.
        if launcher.poll() is None:
            launcher.terminate()
            launcher.wait()
        raise


def _follow(
    launcher: "subprocess.Popen[bytes]", log: Path, begins: int, directory: Path, say: Callable[[str], None]
) -> None:
    with log.open(encoding="utf-8") as lines:
        lines.seek(begins)
        last = ""
        while True:
            ended = launcher.poll() is not None
            living = state.read(directory)
            for line in lines:
                last = line.rstrip("\n")
                if not ended and not last.startswith("anju: "):
                    say(last)
            if ended:
                raise CityFailed(last.removeprefix("anju: ") or f"the launcher ended: see {log}.")
            if living is not None and living.launcher == launcher.pid and living.phase == "running":
                # It is waited for by whoever is above the caller from now on.
                launcher.returncode = 0
                return
            time.sleep(_LOOK_SECONDS)


def end(directory: Path) -> bool:
    """End the city that lives there, and return when nothing of it runs; False when none lives there."""
    living = state.read(directory)
    if living is None:
        return False
    with suppress(psutil.NoSuchProcess):
        launcher = psutil.Process(living.launcher)
        launcher.send_signal(signal.SIGTERM)
        try:
            launcher.wait(DOWN_SECONDS)
        except psutil.TimeoutExpired:
            launcher.kill()
            launcher.wait()
    state.wait_until_free(directory)
    return True
