"""One process of a part, which the test that owns it may stop, kill and start again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from anju.local.programs import Program
from anju.local.reaper import Reaper, end_at_once

# A loaded machine of two cores has been seen to need 20 s for a broker.
START_SECONDS = 60.0
STOP_SECONDS = 20.0


class Part:
    """One process of a part: started, stopped in good order, or killed, by the test that owns it."""

    def __init__(self, reaper: Reaper, program: Program, ready: Callable[[int], bool], end_left: Path | None) -> None:
        self._reaper, self._program, self._ready, self._end_left = reaper, program, ready, end_left
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running part."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and return when it answers."""
        self._process = self._reaper.spawn(self._program)
        deadline = time.monotonic() + START_SECONDS
        while not self._ready(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._program.name} did not start:\n{self._program.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End in good order."""
        if self._process is not None:
            self._process.send_signal(self._program.stop_signal)
            self._process.wait(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """Kill it with all its processes, as a loss of power would."""
        if self._process is not None:
            end_at_once([psutil.Process(self._process.pid)], self._end_left)
            self._process.wait(STOP_SECONDS)
            self._process = None

    def settle(self) -> None:
        """Take note of an end that somebody else brought about."""
        if self._process is not None:
            self._process.wait(STOP_SECONDS)
            self._process = None

    def pause(self) -> None:
        """Stop the clock of the process: its connections stand, nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        os.kill(self.pid, signal.SIGCONT)
