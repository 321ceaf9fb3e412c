"""Owns what others can see of a running city: state.json (who runs), and the lock of its data directory."""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from anju.local.city import write_private
from anju.local.supervisor import Process

# A time of birth is reckoned from the machine's start, which moves a little when the clock is set.
_SAME_BIRTH_SECONDS = 5.0

Phase = Literal["starting", "running", "stopping"]


@dataclass(frozen=True, slots=True)
class Living:
    """A city that lives: its launcher's process id, and its processes as status shows them."""

    launcher: int
    phase: Phase
    processes: list[dict[str, Any]]


def write(directory: Path, phase: Phase, processes: Sequence[Process]) -> None:
    """Say what is so now."""
    own = psutil.Process()
    document = {
        "launcher": own.pid,
        # A process id is given again to another process one day; with its time of birth it is one process only.
        "born": own.create_time(),
        "phase": phase,
        "processes": [
            {
                "name": process.name,
                "pid": process.pid,
                "state": process.state,
                "restarts": process.restarts,
                "log": str(process.program.log),
            }
            for process in processes
        ],
    }
    write_private(directory / "state.json", json.dumps(document))


def read(directory: Path) -> Living | None:
    """The city that lives in this directory; None when its launcher is gone."""
    try:
        document = json.loads((directory / "state.json").read_text())
        launcher = psutil.Process(document["launcher"])
        lives = abs(launcher.create_time() - document["born"]) < _SAME_BIRTH_SECONDS and (
            launcher.status() != psutil.STATUS_ZOMBIE
        )
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None
    return Living(document["launcher"], document["phase"], document["processes"]) if lives else None


def remove(directory: Path) -> None:
    """Say that nothing runs any more."""
    (directory / "state.json").unlink(missing_ok=True)


def open_lock(directory: Path) -> int:
    """The file whose lock a launcher holds, and after it its reaper, until their last process is gone."""
    return os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def take_lock(lock: int) -> bool:
    """Hold the data directory, if nobody does."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_until_free(directory: Path) -> None:
    """Return when nobody holds the data directory."""
    lock = open_lock(directory)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)
