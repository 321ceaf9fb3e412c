"""Keeps processes running: starts each, knows when it is ready, starts it again when it dies, ends them all."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import psutil

from anju.local.programs import Program
from anju.local.reaper import Reaper, end_at_once

State = Literal["starting", "running", "backoff", "stopped"]
# A death is answered after half a second; one that follows a short life waits longer each time, up to this.
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 15.0
# Who lived this long was well: its next death counts as a first one.
LONG_LIFE_SECONDS = 10.0
# So often a process may die before it was ever ready until the start of the city is given up.
DEATHS_AT_START = 3
# How often deaths and readiness are looked at: a half percent of a core for eleven processes.
_LOOK_SECONDS = 0.1
_REAPER_LOOK_SECONDS = 0.5


class StartFailed(Exception):
    """A process did not get ready; the message says which and where its log is."""


async def _nothing() -> None:
    pass


@dataclass(slots=True)
class Process:
    """One process that is kept running.

    Args:
        is_ready: whether the process with this id does its work; asked until it once says yes.
        before_start: runs before each start (a database's traces of a former server are cleared).
        patience_seconds: how long an end in good order may take before it is killed.
    """

    program: Program
    is_ready: Callable[[int], Awaitable[bool]]
    patience_seconds: float
    before_start: Callable[[], Awaitable[None]] = _nothing
    state: State = "stopped"
    pid: int | None = None
    restarts: int = 0
    first_ready: asyncio.Event = field(default_factory=asyncio.Event)
    deaths_at_start: int = 0
    handle: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Its name in status."""
        return self.program.name


class Supervisor:
    """Starts and watches processes; `changed` is called whenever one's state is another."""

    def __init__(self, reaper: Reaper, changed: Callable[[], None]) -> None:
        self.processes: list[Process] = []
        self._reaper, self._changed = reaper, changed
        self._keepers: dict[str, asyncio.Task[None]] = {}

    def start(self, process: Process) -> None:
        """Keep this process running from now on."""
        self.processes.append(process)
        self._keepers[process.name] = asyncio.create_task(self._keep(process))

    async def ready(self, process: Process, seconds: float) -> None:
        """Wait until a started process was ready once.

        Raises:
            StartFailed: it died again and again, or it took longer.
        """
        deadline = time.monotonic() + seconds
        while not process.first_ready.is_set():
            if process.deaths_at_start >= DEATHS_AT_START:
                raise StartFailed(f"{process.name} ends as soon as it starts: see {process.program.log}.")
            if time.monotonic() > deadline:
                raise StartFailed(f"{process.name} was not ready after {seconds:.0f} s: see {process.program.log}.")
            await self._unless_keeper_failed(process)

    async def stop(self, processes: Sequence[Process]) -> None:
        """End these processes together, in good order if they have patience enough, and keep them ended."""
        await asyncio.gather(*(self._stop(process) for process in processes))

    async def run_once(self, program: Program) -> int:
        """Run a program to its end; gives its exit code."""
        handle = self._reaper.spawn(program)
        try:
            await _ended(handle)
        finally:
            if handle.poll() is None:
                handle.kill()
            handle.wait()
        return handle.returncode

    async def watch_reaper(self) -> None:
        """Start another reaper whenever it died; for ever."""
        while True:
            if not self._reaper.lives():
                self._reaper.start([process.pid for process in self.processes if process.pid is not None])
            await asyncio.sleep(_REAPER_LOOK_SECONDS)

    async def _unless_keeper_failed(self, process: Process) -> None:
        keeper = self._keepers[process.name]
        await asyncio.wait([keeper], timeout=_LOOK_SECONDS)
        if keeper.done():
            keeper.result()  # raises what ended it, such as a full disk

    async def _keep(self, process: Process) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            began = time.monotonic()
            try:
                await process.before_start()
                process.handle = self._reaper.spawn(process.program)
            except OSError:  # a full disk, say; a city that stood once waits until it is mended
                if not process.first_ready.is_set():
                    raise
            else:
                process.pid = process.handle.pid
                self._enter(process, "starting")
                await self._live(process, process.handle)
                process.pid = None
                process.restarts += 1
                process.deaths_at_start += not process.first_ready.is_set()
            self._enter(process, "backoff")
            if time.monotonic() - began >= LONG_LIFE_SECONDS:
                delay = FIRST_DELAY_SECONDS
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    async def _live(self, process: Process, handle: subprocess.Popen[bytes]) -> None:
        """Return when the process has ended; meanwhile note when it gets ready."""
        while handle.poll() is None:
            if process.state == "starting" and await process.is_ready(handle.pid) and handle.poll() is None:
                process.first_ready.set()
                self._enter(process, "running")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _stop(self, process: Process) -> None:
        keeper = self._keepers.pop(process.name, None)
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await keeper
        handle = process.handle
        if handle is not None and handle.poll() is None:
            with suppress(ProcessLookupError):
                handle.send_signal(process.program.stop_signal)
                # A process that somebody halted takes no other signal.
                handle.send_signal(signal.SIGCONT)
            with suppress(TimeoutError):
                async with asyncio.timeout(process.patience_seconds):
                    await _ended(handle)
            if handle.poll() is None:
                with suppress(psutil.NoSuchProcess):
                    end_at_once([psutil.Process(handle.pid)])
            handle.wait()
        process.pid = None
        self._enter(process, "stopped")

    def _enter(self, process: Process, state: State) -> None:
        if process.state != state:
            process.state = state
            self._changed()


async def _ended(handle: "subprocess.Popen[bytes]") -> None:
    while True:
        if handle.poll() is not None:
            return
        await asyncio.sleep(_LOOK_SECONDS)
