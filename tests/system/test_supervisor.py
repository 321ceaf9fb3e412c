"""Processes that are kept running, and none of them left when their launcher is gone, however busy it was."""

import asyncio
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from anju.local.programs import Program
from anju.local.reaper import Reaper
from anju.local.supervisor import DEATHS_AT_START, FIRST_DELAY_SECONDS, Process, StartFailed, Supervisor
from tests.waiting import until

pytestmark = pytest.mark.system

# What a machine that does other work adds to a time.
LOADED_SECONDS = 1.0
# A launcher that starts processes as fast as it can, and is killed amid it.
BUSY_LAUNCHER = """
import sys
from pathlib import Path
from anju.local.programs import Program
from anju.local.reaper import Reaper

reaper = Reaper()
reaper.start()
while True:
    # Each has a child of its own, as a database server has.
    reaper.spawn(Program("p", ["/bin/sh", "-c", f"sleep {sys.argv[1]} & sleep {sys.argv[1]}"], Path(sys.argv[2]), {}))
"""


def sleepers(mark: str) -> list[psutil.Process]:
    """The living processes whose command line holds the mark."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE and mark in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def mark() -> str:
    """Seconds to sleep that nobody else sleeps."""
    return f"1000.{uuid.uuid4().int % 10**12}"


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    reaper = Reaper()
    reaper.start()
    supervisor = Supervisor(reaper, lambda: None)
    yield supervisor
    await supervisor.stop(supervisor.processes)
    reaper.close()


@pytest.fixture
def supervised(tmp_path: Path) -> "Callable[[str], Process]":
    def make(script: str) -> Process:
        async def ready(_: int) -> bool:
            return (tmp_path / "ready").exists()

        return Process(Program("one", ["/bin/sh", "-c", script], tmp_path / "log", {"D": str(tmp_path)}), ready, 2.0)

    return make


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.2, 0.5])
async def test_a_killed_launcher_leaves_nothing(tmp_path: Path, delay: float) -> None:
    seconds = mark()
    command = [sys.executable, "-c", BUSY_LAUNCHER, seconds, str(tmp_path / "log")]
    launcher = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    await until(lambda: bool(sleepers(seconds)))
    await asyncio.sleep(delay)  # the launcher goes on meanwhile: each delay kills it elsewhere
    launcher.kill()
    await launcher.communicate()
    await until(lambda: not sleepers(seconds), 20)
    await asyncio.sleep(0.3)
    assert sleepers(seconds) == []


async def test_another_reaper_takes_over(tmp_path: Path) -> None:
    seconds = mark()
    of_the_run = living_reapers()
    reaper = Reaper()
    reaper.start()

    async def ready(_: int) -> bool:
        return True

    supervisor = Supervisor(reaper, lambda: None)
    watch = asyncio.create_task(supervisor.watch_reaper())
    process = Process(Program("one", ["sleep", seconds], tmp_path / "log", {}), ready, 2.0)
    supervisor.start(process)
    await supervisor.ready(process, 10)
    (first,) = living_reapers() - of_the_run
    psutil.Process(first).kill()
    await until(lambda: bool(living_reapers() - of_the_run - {first}))
    assert sleepers(seconds), "the process itself goes on"
    watch.cancel()
    reaper.close()  # as if this launcher were gone
    await until(lambda: not sleepers(seconds))
    await supervisor.stop([process])


def living_reapers() -> set[int]:
    """The reapers of this test's own launcher."""
    children = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return {child.pid for child in children if "anju.local.reaper" in " ".join(child.cmdline())}


async def test_a_dead_process_is_started_again_later_each_time(
    supervisor: Supervisor, supervised: Callable[[str], Process], tmp_path: Path
) -> None:
    process = supervised("date +%s.%N >> $D/times; touch $D/ready; sleep 0.2; date +%s.%N >> $D/times")
    supervisor.start(process)
    await supervisor.ready(process, 10)
    await until(lambda: process.restarts == 4)
    times = [float(line) for line in (tmp_path / "times").read_text().split()]
    pauses = [start - end for end, start in zip(times[1::2], times[2::2], strict=False)]
    assert pauses[0] < 1.0 + LOADED_SECONDS, "the first one after at most a second"
    assert pauses[1] > 2 * FIRST_DELAY_SECONDS
    assert pauses[2] > 4 * FIRST_DELAY_SECONDS


async def test_a_process_that_never_gets_ready_fails_the_start(
    supervisor: Supervisor, supervised: Callable[[str], Process]
) -> None:
    process = supervised("exit 3")
    supervisor.start(process)
    with pytest.raises(StartFailed, match=r"one ends as soon as it starts: see .*/log"):
        await supervisor.ready(process, 20)
    assert process.deaths_at_start == DEATHS_AT_START


async def test_the_id_in_status_is_the_process_itself(
    supervisor: Supervisor, supervised: Callable[[str], Process], tmp_path: Path
) -> None:
    process = supervised("trap '' TERM; echo $$ > $D/pid; touch $D/ready; while :; do sleep 0.1; done")
    supervisor.start(process)
    await supervisor.ready(process, 10)
    assert process.pid == int((tmp_path / "pid").read_text())
    (tmp_path / "ready").unlink()
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: process.restarts == 1 and process.state == "running")
    began = time.monotonic()
    await supervisor.stop([process])  # it does not heed SIGTERM
    assert process.patience_seconds <= time.monotonic() - began < process.patience_seconds + 3 + LOADED_SECONDS
    assert process.state == "stopped"
