"""Owns the promise that no process outlives its launcher, however the launcher ends.

A launcher holds the writing end of a pipe; a small process of its own session, the reaper, holds the reading end. Each
started program says its process id into the pipe before it becomes itself, so none can run unknown; when the last
writing end closes (the launcher is gone, killed or not), the reaper ends all that it was told of, and their children.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from anju.local.programs import Program, open_log

# Writes its own process id into the pipe (its standard input), then becomes the program: same process, same id.
_TRAMPOLINE = 'echo "$$" >&0 && exec "$@" </dev/null'
# How long the reaper goes on killing before it gives up on a process that cannot die (in uninterruptible sleep).
_GIVE_UP_SECONDS = 20.0


class Reaper:
    """The launcher's side: starts the reaper, and programs that it knows of.

    Args:
        keep_open: file descriptors that the reaper keeps open as long as it lives (the lock of a data directory: a
            next launcher waits until the last process of this one is gone).
        postgres_directory: where server processes of PostgreSQL have their working directory; those that lost
            their parent are found by it.
    """

    def __init__(self, *, keep_open: Sequence[int] = (), postgres_directory: Path | None = None) -> None:
        self._keep_open = tuple(keep_open)
        self._postgres_directory = postgres_directory
        self._pipe = -1
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, already_running: Iterable[int] = ()) -> None:
        """Start the reaper, or another one for one that died; it is told of the processes that run already."""
        self.close()
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "anju.local.reaper", str(self._postgres_directory or "")]
        self._process = subprocess.Popen(
            command,
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self._keep_open,
            cwd="/",
        )
        os.close(reading)
        self._pipe = writing
        for pid in already_running:
            os.write(writing, f"{pid}\n".encode())

    def lives(self) -> bool:
        """Whether the reaper is there."""
        return self._process is not None and self._process.poll() is None

    def spawn(self, program: Program) -> subprocess.Popen[bytes]:
        """Start a program, in a session of its own, known to the reaper before it runs."""
        log = open_log(program.log)
        try:
            return subprocess.Popen(
                ["/bin/sh", "-c", _TRAMPOLINE, "anju", *program.command],
                stdin=self._pipe,
                stdout=log,
                stderr=log,
                env=dict(program.environment),
                cwd=program.working_directory,
                start_new_session=True,
                user=program.user.uid if program.user else None,
                group=program.user.gid if program.user else None,
                extra_groups=[] if program.user else None,
            )
        finally:
            os.close(log)

    def close(self) -> None:
        """Let the reaper end what is left, and wait for it."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        if self._process is not None:
            self._process.wait()
            self._process = None


def postgres_processes(directory: Path) -> list[psutil.Process]:
    """PostgreSQL's processes of one data directory, also those whose parent is gone."""
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if process.info["name"] == "postgres" and Path(process.cwd()) == directory:
                found.append(process)
    return found


def end_at_once(processes: Iterable[psutil.Process], postgres_directory: Path | None = None) -> list[psutil.Process]:
    """Kill the processes, their descendants, and what is left of PostgreSQL; gives those that live on."""
    known = set(processes)
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        if postgres_directory is not None:
            known.update(postgres_processes(postgres_directory))
        for process in list(known):
            with contextlib.suppress(psutil.Error):
                known.update(process.children(recursive=True))
        known = {process for process in known if _alive(process)}
        if not known:
            break
        for process in known:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(known, timeout=0.2)
    return sorted(known, key=lambda process: process.pid)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _watch(stream: int, postgres_directory: Path | None) -> None:
    known: dict[int, psutil.Process] = {}
    with os.fdopen(stream, "rb", buffering=0) as lines, contextlib.ExitStack():
        rest = b""
        while piece := lines.read(4096):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                # Process remembers the start time too: a number that the system gives again is another process.
                with contextlib.suppress(psutil.Error):
                    known[int(line)] = psutil.Process(int(line))
    end_at_once(known.values(), postgres_directory)


if __name__ == "__main__":
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    _watch(os.dup(0), Path(sys.argv[1]) if sys.argv[1] else None)
