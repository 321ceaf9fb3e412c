"""What chaos breaks a city with does what it says; `make chaos` uses it on a city."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from anju.local.programs import free_ports
from tests.chaos.clocks import Clock, build
from tests.chaos.faults import KINDS, draw
from tests.chaos.journal import Journal
from tests.chaos.proxy import Proxy
from tests.waiting import until


def test_same_seed_same_faults() -> None:
    assert draw(50, 1, 100.0) == draw(50, 1, 100.0)
    assert draw(50, 1, 100.0) != draw(50, 2, 100.0)


def test_faults_of_every_kind_within_the_time() -> None:
    faults = draw(300, 1, 1_800.0)
    assert {fault.kind for fault in faults} == set(KINDS)
    assert sum(fault.wait_seconds for fault in faults) == pytest.approx(1_800.0, rel=0.1)


def test_journal_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.write(journal.number(), "intended", what="arrival")
        (line,) = (tmp_path / "journal").read_text().splitlines()
    assert json.loads(line).items() >= {"n": 1, "phase": "intended", "what": "arrival"}.items()


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="a clock is moved by LD_PRELOAD and built by cc"
)
def test_clock_jumps_and_monotonic_does_not(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock", build(tmp_path))
    clock.jump(0)
    child = subprocess.Popen(
        [sys.executable, "-uc", "import time\nwhile input() == '': print(time.time(), time.monotonic())"],
        env=clock.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    for error in (0, -86_400, 200, 0):
        clock.jump(error)
        child.stdin.write("\n")
        child.stdin.flush()
        wall, monotonic = map(float, child.stdout.readline().split())
        assert wall - time.time() == pytest.approx(error, abs=5)
        assert time.monotonic() - monotonic == pytest.approx(0, abs=5)
    child.kill()
    child.communicate()


@pytest.fixture
async def echo() -> AsyncIterator[Proxy]:
    """A proxy before a server that says everything back."""

    async def say_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(1024):
                writer.write(piece)
        writer.close()
        ended.set()

    ended = asyncio.Event()
    port, target = free_ports(2)
    server = await asyncio.start_server(say_back, "127.0.0.1", target)
    proxy = Proxy("echo", port, target)
    await proxy.start()
    yield proxy
    await proxy.stop()
    await ended.wait()
    server.close()
    await server.wait_closed()


async def test_proxy_leads_delays_and_cuts(echo: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", echo.port)
    writer.write(b"one")
    assert await reader.readexactly(3) == b"one"
    echo.delay_seconds = 0.05
    began = time.monotonic()
    writer.write(b"two")
    assert await reader.readexactly(3) == b"two"
    assert time.monotonic() - began >= 0.1
    assert echo.cut() == 1
    with pytest.raises(ConnectionResetError):
        await reader.read(1)


async def test_silent_proxy_holds_what_is_said(echo: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", echo.port)
    writer.write(b"one")
    await reader.readexactly(3)
    echo.fall_silent()
    writer.write(b"two")
    answer = asyncio.create_task(reader.readexactly(3))
    assert not (await asyncio.wait([answer], timeout=0.2))[0]
    echo.speak()
    await until(answer.done)
    assert answer.result() == b"two"
    writer.close()
